"""The derivative through a whole training against the training itself, with a document's weight changed a little."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from attribution.truth.recorded import IGNORED, AdamW, Step, Training
from attribution.truth.unrolled import derivatives
from tests.attribution import tiny

OPTIMISER = AdamW(betas=(0.9, 0.98), decay=0.01, clip=1.0)
N, STEPS = 6, 10
ASKED = [((1, 4, 2, 6, 3), 1), ((5, 2, 7, 0, 2), 3), ((3, 3, 9), 2)]
CHANGE = 3e-3


@pytest.fixture(scope="module")
def training() -> Training:
    """Ten steps of three rows; document 2 has two windows in one batch, and the fifth is never seen."""
    generator = torch.Generator().manual_seed(3)
    steps = []
    for t in range(STEPS):
        tokens = torch.randint(tiny.V, (3, 6), generator=generator)
        labels = torch.cat([tokens[:, 1:], torch.full((3, 1), IGNORED)], dim=1)
        labels[0, 3:] = IGNORED
        documents = torch.tensor([2, 2, 0] if t % 3 == 0 else [0, 1, 3 + 2 * (t % 2)])
        steps.append(Step(tokens, labels, documents, rate=0.02 / (1 + t)))
    return Training(tiny.tiny_model("llama").model, steps, OPTIMISER, N)


def outcome(of: Training, weights: torch.Tensor) -> torch.Tensor:
    theta = of.end(weights)
    with torch.no_grad():
        return torch.stack([of.mean_logp(theta, ids, first) for ids, first in ASKED])


@pytest.mark.parametrize("clip", [1.0, 1e9])
def test_it_is_what_training_with_another_weight_shows(training, clip):
    """Clipped in every step, and in none."""
    of = replace(training, optimiser=replace(OPTIMISER, clip=clip))
    with of.differentiable():
        theta = of.start().theta.requires_grad_()
        assert (of.gradient(0, theta, torch.ones(3, dtype=torch.float64)).norm() > clip) == (clip == 1.0)
    found = derivatives(of, ASKED)
    for i in range(N):
        more, less = torch.ones(2, N, dtype=torch.float64)
        more[i], less[i] = 1 + CHANGE, 1 - CHANGE
        measured = (outcome(of, more) - outcome(of, less)) / (2 * CHANGE)
        torch.testing.assert_close(found[:, i], measured, rtol=1e-2, atol=1e-2 * float(found.abs().mean()))
    assert (found[:, 4] == 0).all()
    assert (found[:, [0, 1, 2, 3, 5]] != 0).all()


def test_queries_and_kept_states_do_not_matter(training):
    together = derivatives(training, ASKED)
    alone = torch.cat([derivatives(training, [each]) for each in ASKED])
    torch.testing.assert_close(together, alone)
    for n in (4, 7):  # segments that end with the training, and that do not
        some = replace(training, steps=training.steps[:n])
        found = derivatives(some, ASKED)
        more, less = torch.ones(2, N, dtype=torch.float64)
        more[2], less[2] = 1 + CHANGE, 1 - CHANGE
        measured = (outcome(some, more) - outcome(some, less)) / (2 * CHANGE)
        torch.testing.assert_close(found[:, 2], measured, rtol=1e-2, atol=1e-2 * float(found.abs().mean()))


def test_all_documents_a_little_more_change_nothing(training):
    """Adam takes the same step whatever a gradient is multiplied by, clipped or not."""
    found = derivatives(training, ASKED)
    assert (found.sum(1).abs() < 1e-3 * found.abs().sum(1)).all()


def test_the_training_is_that_of_torch(training):
    """Against torch's own optimiser and clipping."""
    of = tiny.tiny_model("llama").model
    optimiser = torch.optim.AdamW(of.parameters(), betas=OPTIMISER.betas, weight_decay=OPTIMISER.decay)
    for step in training.steps:
        optimiser.param_groups[0]["lr"] = step.rate
        logits = of(step.tokens, use_cache=False).logits
        cross_entropy(logits.flatten(0, 1), step.labels.flatten(), ignore_index=IGNORED).backward()
        torch.nn.utils.clip_grad_norm_(of.parameters(), OPTIMISER.clip)
        optimiser.step()
        optimiser.zero_grad()
    expected = torch.cat([p.detach().flatten() for p in of.parameters()])
    torch.testing.assert_close(training.end(), expected, rtol=1e-4, atol=1e-6)  # norms are in float32


def test_a_parameter_that_never_moves_spoils_nothing(training):
    """A token that no text has: of an untied embedding its row has no gradient, and v stays 0."""
    of = replace(training, model=tiny.tiny_model("llama-untied").model)
    steps = [replace(each, tokens=each.tokens.clamp_max(tiny.V - 2)) for each in of.steps]
    found = derivatives(replace(of, steps=steps), [((1, 4, 2), 1)])
    assert torch.isfinite(found).all()

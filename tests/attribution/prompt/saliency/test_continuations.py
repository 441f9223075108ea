"""A contrast of two continuations against autograd over the whole difference."""

import pytest
import torch

from attribution.errors import BadInput
from attribution.prompt.saliency.continuations import contrast_continuations
from tests.attribution.prompt.tiny_prompt import tiny_model

PROMPT, ANSWER = [256, 40, 50, 60], [70, 80]


def log_p(model, prompt: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """Of ids after the embedded prompt  # prompt: [P, D]"""
    read = torch.cat([prompt, model.get_input_embeddings()(torch.tensor(ids[:-1], dtype=torch.long)).detach()])
    logits = model(inputs_embeds=read[None]).logits[0, len(prompt) - 1 :]
    return logits.log_softmax(-1)[torch.arange(len(ids)), ids].sum()


@pytest.mark.parametrize("foil", [[90], [90, 10], [90, 10, 20, 30]])
def test_input_35_it_is_the_gradient_of_the_difference(foil):
    model = tiny_model()
    x = model.get_input_embeddings()(torch.tensor(PROMPT)).detach().requires_grad_()
    (g,) = torch.autograd.grad(log_p(model, x, ANSWER) - log_p(model, x, foil), x)
    made = contrast_continuations(model, PROMPT, ANSWER, foil, ("grad_x_input", "grad_norm"))
    torch.testing.assert_close(made["grad_x_input"], (g * x).sum(1).detach().float(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(made["grad_norm"], g.norm(dim=1).float(), rtol=1e-5, atol=1e-6)


def test_input_35_occlusion_is_what_the_difference_loses_without_a_token():
    model, foil = tiny_model(), [90, 10, 20]
    made = contrast_continuations(model, PROMPT, ANSWER, foil, ("occlusion", "attention"), absent_id=32)

    def contrast(prompt: list[int]) -> float:
        x = model.get_input_embeddings()(torch.tensor(prompt)).detach()
        with torch.no_grad():
            return float(log_p(model, x, ANSWER) - log_p(model, x, foil))

    for i in range(1, len(PROMPT)):
        without = [*PROMPT[:i], 32, *PROMPT[i + 1 :]]
        assert float(made["occlusion"][i]) == pytest.approx(contrast(PROMPT) - contrast(without), rel=1e-4, abs=1e-5)
    assert float(made["attention"].min()) >= 0


def test_a_foil_without_tokens_is_refused():
    with pytest.raises(BadInput, match="a foil of at least one token"):
        contrast_continuations(tiny_model(), PROMPT, ANSWER, [], ("grad_norm",))

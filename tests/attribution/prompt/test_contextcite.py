"""The stored matrix is what the model says without the left-out sources; everything after it needs no model."""

import pytest
import torch

from attribution.errors import BadInput
from attribution.prompt.contextcite import (
    Ablations,
    ablate,
    fit,
    half_masks,
    leave_one_out,
    shapley_values,
    single_masks,
    sources,
)
from attribution.prompt.parts import Part
from attribution.prompt.shapley import subsets
from tests.attribution.prompt.tiny_prompt import tiny_model

PROMPT, OF_SOURCE, ANSWER = [256, 1, 10, 11, 20, 21, 22, 30, 2], [-1, -1, 0, 0, 1, 1, 1, 2, -1], [60, 70]


def logp(ids):
    with torch.no_grad():
        logits = tiny_model()(input_ids=torch.tensor([[*ids, *ANSWER]])).logits[0].log_softmax(-1)
    return torch.stack([logits[len(ids) - 1 + k, token] for k, token in enumerate(ANSWER)])


def test_the_matrix_is_the_dumb_one_whatever_the_batch():
    masks = subsets(3)
    measured = ablate(tiny_model(), PROMPT, OF_SOURCE, ANSWER, masks, batch=3)
    for mask, odds in zip(masks.tolist(), measured.odds, strict=True):
        ids = [token for token, n in zip(PROMPT, OF_SOURCE, strict=True) if n < 0 or mask[n]]
        torch.testing.assert_close(torch.nn.functional.logsigmoid(odds), logp(ids))
    again = ablate(tiny_model(), PROMPT, OF_SOURCE, ANSWER, masks.flip(0), batch=8)
    torch.testing.assert_close(again.odds.flip(0), measured.odds)


def test_leave_one_out_and_shapley_of_any_span():
    measured = ablate(tiny_model(), PROMPT, OF_SOURCE, ANSWER, subsets(3))
    values = shapley_values(measured, span=[1])
    whole = measured.span_logp([1])
    torch.testing.assert_close(values.sum(), whole[-1] - whole[0])
    singles = ablate(tiny_model(), PROMPT, OF_SOURCE, ANSWER, single_masks(3))
    dropped = leave_one_out(singles)
    torch.testing.assert_close(dropped[1], logp(PROMPT).sum() - logp([256, 1, 10, 11, 30, 2]).sum())


def test_a_span_is_fitted_later_and_a_linear_answer_is_found():
    masks = half_masks(12)
    assert masks.shape == (64, 12) and torch.equal(masks, half_masks(12))
    truth = torch.zeros(12, dtype=torch.float64)
    truth[4] = 6.0
    odds = (masks.double() @ truth - 3)[:, None].repeat(1, 2)
    fitted = fit(Ablations(masks, odds), span=[0])
    assert int(fitted.weights.argmax()) == 4 and int((fitted.weights != 0).sum()) == 1
    assert abs(float(fitted.weights[4]) - 6) < 0.1 and fitted.r2 > 0.99
    torch.testing.assert_close(fitted.predict(masks), odds[:, 0], atol=0.1, rtol=0)


def test_few_sources_are_enumerated():
    assert half_masks(4).shape == (16, 4) and half_masks(7).shape == (64, 7)


def test_sources_take_their_labels_along():
    parts = (
        Part(0, "scaffold", "", 0, 1, owner=1),
        Part(1, "document", "a", 1, 2),
        Part(2, "question", "", 2, 3),
        Part(3, "document", "b", 3, 4),
        Part(4, "scaffold", "", 4, 5),
    )
    assert sources([-1, 0, 1, 2, 3, 4], parts) == (-1, 0, 0, -1, 1, -1)


def test_mistakes():
    with pytest.raises(BadInput, match="part to leave out"):
        ablate(tiny_model(), PROMPT, [-1] * 9, ANSWER, torch.ones(1, 0, dtype=torch.bool))
    with pytest.raises(BadInput, match="all subsets"):
        shapley_values(Ablations(half_masks(9), torch.zeros(64, 2)))

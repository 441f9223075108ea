"""Arithmetic on a stored matrix: no model in this file."""

import subprocess
import sys

import numpy as np
import pytest

from attribution.errors import BadInput
from attribution.prompt.context.contextcite import (
    Ablations,
    fit,
    half_masks,
    leave_one_out,
    log_odds,
    log_p,
    shapley_values,
    single_masks,
    sources,
)
from attribution.prompt.saliency.shapley import subsets
from attribution.prompt.text.parts import Part


def measured(masks, n_answer=2):
    return Ablations(masks, np.random.default_rng(0).normal(size=(len(masks), n_answer)))


def test_a_span_is_fitted_later_and_a_linear_answer_is_found():
    masks = half_masks(12)
    assert masks.shape == (64, 12)
    np.testing.assert_array_equal(masks, half_masks(12))
    truth = np.zeros(12)
    truth[4] = 6.0
    odds = np.repeat((masks @ truth - 3)[:, None], 2, axis=1)
    fitted = fit(Ablations(masks, odds), span=[0])
    assert fitted.weights.argmax() == 4 and (fitted.weights != 0).sum() == 1
    assert abs(fitted.weights[4] - 6) < 0.1 and fitted.r2 > 0.99
    np.testing.assert_allclose(fitted.predict(masks), odds[:, 0], atol=0.1)


def test_the_odds_of_a_span_are_those_of_all_its_tokens_together():
    odds = np.array([[0.0, 1.0, -1.0]])
    p = 1 / (1 + np.exp(-odds))
    whole = Ablations(np.ones((1, 1), dtype=bool), odds)
    both = p[0, 1] * p[0, 2]
    np.testing.assert_allclose(whole.span_odds([1, 2]), [np.log(both / (1 - both))])
    np.testing.assert_allclose(whole.span_logp(), [np.log(p).sum()])


def test_leave_one_out_and_shapley_of_any_span():
    everything = measured(subsets(3))
    whole = everything.span_logp([1])
    np.testing.assert_allclose(shapley_values(everything, span=[1]).sum(), whole[-1] - whole[0])
    singles = measured(single_masks(3))
    np.testing.assert_allclose(leave_one_out(singles, [0])[1], log_p(singles.odds[0, 0]) - log_p(singles.odds[2, 0]))


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
    assert sources([-1, 0, 1, 2, 3, 4], parts, ("document", "question")) == (-1, 0, 0, 1, 2, -1)


def test_exact_shapley_values_need_all_subsets():
    with pytest.raises(BadInput, match="all subsets"):
        shapley_values(measured(half_masks(9)))


def test_log_p_and_log_odds_are_inverse_even_where_p_is_nearly_one():
    odds = np.array([-700.0, -3.0, 0.0, 5.0, 25.0])
    np.testing.assert_allclose(log_odds(log_p(odds)), odds, rtol=1e-3)
    assert log_odds(np.zeros(1))[0] > 30


def test_this_arithmetic_needs_no_torch():
    """A page that only reads stored rows can move a threshold or fit a span."""
    names = (
        "context.contextcite",
        "context.citations",
        "faithful.faithfulness",
        "context.lasso",
        "stored",
        "context.nested",
    )
    names += ("text.parts", "text.sentences", "saliency.shapley")
    code = (
        f"import sys\nfor name in {names}: __import__('attribution.prompt.' + name)\nassert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

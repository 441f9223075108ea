"""Measures on what was measured, on a model whose truth is known."""

import numpy as np

from attribution.prompt.context.ablated import ablate
from attribution.prompt.context.contextcite import Ablations, half_masks, single_masks
from attribution.prompt.faithful.faithfulness import agreement, prediction, top_drop
from tests.attribution.prompt.counter import ANSWER, PROMPT, Counter


def test_top_drop_and_prediction():
    of_source = [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    singles = ablate(Counter(), PROMPT, of_source, ANSWER, single_masks(5))
    found = top_drop(np.array([1.0, 0, 0, 0, 0]), singles)
    assert found.part == 0 and found.top > found.random > 0
    assert abs(found.top / found.random - 5) < 1e-6
    measured = ablate(Counter(), PROMPT, of_source, ANSWER, half_masks(5))
    assert prediction(measured) > 0.85  # folds differ a little where the truth has ties
    noise = np.random.default_rng(0).normal(size=(32, 1))
    assert abs(prediction(Ablations(measured.masks, noise))) < 0.5
    assert prediction(Ablations(measured.masks[:7], measured.odds[:7])) == 0


def test_agreement_is_taken_over_masks_that_were_not_seen():
    of_source = [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    measured = ablate(Counter(), PROMPT, of_source, ANSWER, half_masks(5))
    true = np.array([1.0, 0, 0, 0, 0])
    assert agreement(true, measured) == -agreement(-true, measured) > 0.8
    assert agreement(true, measured, measured.masks) is None
    wrong = Ablations(measured.masks, measured.odds.copy())
    wrong.odds[:20] *= -1
    assert agreement(true, wrong, measured.masks[:20]) == agreement(
        true, Ablations(measured.masks[20:], measured.odds[20:])
    )

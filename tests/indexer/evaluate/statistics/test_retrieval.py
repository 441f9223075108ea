"""Ranks of the right documents, against sorting."""

import numpy as np
import pytest

from indexer.evaluate.statistics.retrieval import first_rank, reciprocal, within


@pytest.mark.parametrize("seed", range(5))
def test_the_rank_is_the_place_after_sorting(seed):
    scores = np.random.default_rng(seed).normal(size=30)
    order = np.argsort(-scores).tolist()
    assert first_rank(scores, [7]) == order.index(7) + 1
    assert first_rank(scores, [7, 3]) == min(order.index(7), order.index(3)) + 1


def test_equal_scores_bring_no_luck():
    assert first_rank(np.zeros(10), [0]) == 10


def test_a_right_document_does_not_stand_in_the_way_of_another():
    assert first_rank(np.array([1.0, 1.0, 0.5]), [0, 1]) == 1


def test_what_was_not_scored_stands_at_the_end():
    assert first_rank(np.array([np.nan, -3.0, -5.0]), [0]) == 3
    assert first_rank(np.array([np.nan, -3.0, -5.0]), [2]) == 2


def test_reciprocal_and_recall():
    assert reciprocal([1, 2, 4]).mean() == pytest.approx((1 + 0.5 + 0.25) / 3)
    assert within([1, 2, 4], 2).mean() == pytest.approx(2 / 3)

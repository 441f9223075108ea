"""Rank correlation against definitions written out, without a library."""

from itertools import product

import numpy as np
import pytest

from attribution.rank_correlation import partial_spearman, ranks, spearman, without_effect


def ranks_by_counting(values):
    """1 + how many are smaller, and half of those that are equal."""
    return [1 + sum(b < a for b in values) + (sum(b == a for b in values) - 1) / 2 for a in values]


def spearman_of_distinct(x, y):
    """1 − 6 Σ d² / (n (n² − 1)), for values without ties."""
    d = np.subtract(ranks_by_counting(x), ranks_by_counting(y))
    return 1 - 6 * float(d @ d) / (len(x) * (len(x) ** 2 - 1))


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_counting(seed):
    values = np.random.default_rng(seed).integers(0, 6, size=20)  # many ties
    np.testing.assert_allclose(ranks(values), ranks_by_counting(values))


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_the_textbook_formula_where_nothing_is_tied(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 15))
    assert spearman(x, y) == pytest.approx(spearman_of_distinct(x, y))


def test_spearman_of_ties_is_the_mean_over_all_ways_to_break_them_up_to_its_norm():
    x, y = [1.0, 2.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0]
    centred = [np.subtract(ranks_by_counting(v), 2.5) for v in (x, y)]
    expected = centred[0] @ centred[1] / np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    assert spearman(x, y) == pytest.approx(expected)


def test_a_constant_predicts_nothing():
    assert spearman([1, 1, 1], [1, 2, 3]) == 0
    assert spearman([1, 2, 3], [0.1, 0.1, 0.1]) == 0
    assert np.isnan(spearman([1, 2, 3], [0.1, 0.1, 0.1], constant=np.nan))
    assert spearman([], []) == 0


def test_ties_and_signs_by_hand():
    a = np.array([1.0, 2, 2, 3])
    assert spearman(a, a**3) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)
    assert spearman(a, [1.0, 2, 3, 4]) == pytest.approx(0.9486833)  # 4.5 / √(4.5 · 5)


def test_monotone_maps_change_nothing():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    assert spearman(np.exp(x), y**3) == pytest.approx(spearman(x, y))


@pytest.mark.parametrize("seed", range(3))
def test_the_rest_is_that_of_least_squares(seed):
    generator = np.random.default_rng(seed)
    values, groups = generator.normal(size=25), generator.random(25) < 0.4
    design = np.stack([np.ones(25), groups], axis=1)
    beta, *_ = np.linalg.lstsq(design, values, rcond=None)
    np.testing.assert_allclose(without_effect(values, groups), values - design @ beta, atol=1e-12)


def test_an_effect_that_both_share_is_taken_out():
    generator = np.random.default_rng(1)
    groups = generator.random(400) < 0.5
    x, y = generator.normal(size=(2, 400)) + 10 * groups
    assert spearman(x, y) > 0.7
    assert abs(partial_spearman(x, y, groups)) < 0.15


def test_nothing_is_left_of_a_prediction_that_is_the_group_alone():
    groups = np.array(list(product([True, False], repeat=4)))[:, 0]
    assert partial_spearman(0.1 * groups + 0.3, np.arange(16.0), groups) == 0

"""Intervals: against every resample there is, and against the truth in repeated trials."""

from itertools import product

import numpy as np
import pytest

from indexer.evaluate.statistics.bootstrap import difference, estimate


def test_the_interval_is_that_of_all_resamples():
    values = [0.0, 1.0, 5.0, 9.0, 12.0]
    means = [np.mean(drawn) for drawn in product(values, repeat=5)]
    found = estimate(values)
    assert (found.value, found.n) == (pytest.approx(5.4), 5)
    assert found.low == pytest.approx(np.quantile(means, 0.025), abs=0.3)
    assert found.high == pytest.approx(np.quantile(means, 0.975), abs=0.3)


def test_it_holds_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    found = [estimate(generator.normal(3.0, 2.0, size=40)) for _ in range(200)]
    assert 0.88 < np.mean([each.low <= 3.0 <= each.high for each in found]) < 0.99


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(1).normal(size=12)
    assert estimate(values, seed=3) == estimate(values, seed=3)


def test_one_value_has_no_width():
    assert (estimate([2.0]).low, estimate([2.0]).high) == (2.0, 2.0)


def test_what_both_share_makes_no_difference_wide():
    common = np.random.default_rng(2).normal(0, 10, size=30)
    found = difference(common + 1.0, common)
    assert (found.low, found.high) == (pytest.approx(1.0), pytest.approx(1.0))

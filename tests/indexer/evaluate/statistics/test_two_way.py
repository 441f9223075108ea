"""Intervals over models and queries: against resamples written out, and against the truth in repeated trials."""

import numpy as np
import pytest

from attribution.rank_correlation import partial_spearman, spearman
from indexer.evaluate.statistics.bootstrap import estimate
from indexer.evaluate.statistics.two_way import mean_spearman, weighted_spearman

H, Q = 50, 40


def trial(seed: int, n_models: int = H, n_queries: int = Q) -> tuple[np.ndarray, np.ndarray]:
    """A prediction that is right on average; every model has luck of its own that all queries share, by their
    loads."""
    generator = np.random.default_rng(seed)
    predicted = generator.normal(size=(n_models, n_queries))
    luck = generator.normal(size=(n_models, 1)) * generator.normal(1.0, 0.5, size=(1, n_queries))
    slope = generator.uniform(0.3, 1.5, size=(1, n_queries))
    shared = 0.7 * luck + 0.5 * predicted.mean(axis=1, keepdims=True)
    return predicted, slope * predicted + shared + 0.7 * generator.normal(size=(n_models, n_queries))


def test_a_model_that_is_drawn_twice_counts_twice():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=12).round(1), generator.normal(size=12).round(1)  # some equal
    group = generator.random(12) < 0.4
    times = generator.integers(0, 4, size=(30, 12)).astype(float)
    plain, without = weighted_spearman(x, y, times), weighted_spearman(x, y, times, group)
    for b, of in enumerate(times.astype(int)):
        a, c, g = np.repeat(x, of), np.repeat(y, of), np.repeat(group, of)
        assert plain[b] == pytest.approx(spearman(a, c), abs=1e-12)
        assert without[b] == pytest.approx(partial_spearman(a, c, g), abs=1e-12)


def test_the_value_is_the_mean_of_plain_correlations():
    predicted, measured = trial(1)
    groups = np.random.default_rng(2).random((H, Q)) < 0.5
    of = [partial_spearman(predicted[:, q], measured[:, q], groups[:, q]) for q in range(Q)]
    assert mean_spearman(predicted, measured, groups).value == pytest.approx(np.mean(of))


def test_what_predicts_nothing_has_no_width():
    _, measured = trial(3)
    found = mean_spearman(np.zeros((H, Q)), measured).interval()
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_the_same_seed_gives_the_same_resamples_so_that_differences_are_paired():
    predicted, measured = trial(4)
    one, same = mean_spearman(predicted, measured), mean_spearman(predicted + 5.0, measured)  # alike in rank
    assert np.ptp(one.less(same).means) < 1e-12
    worse = mean_spearman(predicted + np.random.default_rng(5).normal(0, 0.3, predicted.shape), measured)
    paired = one.less(worse).interval()
    assert paired.high - paired.low < one.interval().high - one.interval().low


@pytest.mark.parametrize(("n_models", "n_queries", "known"), [(7, 40, False), (40, 7, False), (8, 8, True)])
def test_of_fewer_than_eight_models_or_queries_there_is_no_interval(n_models, n_queries, known):
    one = mean_spearman(*trial(1, n_models, n_queries))
    for found in (one.interval(), one.less(mean_spearman(*trial(2, n_models, n_queries))).interval()):
        assert (found.low is not None, found.high is not None) == (known, known)
        assert np.isfinite(found.value)


@pytest.mark.slow
@pytest.mark.parametrize(("n_models", "n_queries"), [(50, 40), (50, 60)])
def test_it_holds_the_truth_as_often_as_it_says_where_queries_alone_do_not(n_models, n_queries):
    """Luck that all queries share: 95 % intervals hold the truth in 90 to 98 of 100 trials."""
    both, alone = held(n_models, n_queries)
    assert 0.90 <= both <= 0.98
    assert alone < both


@pytest.mark.slow
def test_at_the_fewest_that_have_one_it_is_rather_too_wide():
    """Of eight models and queries: 99 of 100 trials; over the queries alone 81."""
    both, alone = held(8, 8)
    assert both >= 0.95
    assert alone < 0.9


def held(n_models: int, n_queries: int) -> tuple[float, float]:
    """How often intervals over models and queries, and over queries alone, hold what many models would have given."""
    truth = np.mean([mean_of(*trial(1000 + i, n_models, 400)) for i in range(60)])
    both, alone = [], []
    for seed in range(200):
        predicted, measured = trial(seed, n_models, n_queries)
        found = mean_spearman(predicted, measured).interval()
        both.append(found.low <= truth <= found.high)
        one = estimate([spearman(predicted[:, q], measured[:, q]) for q in range(n_queries)])
        alone.append(one.low <= truth <= one.high)
    return float(np.mean(both)), float(np.mean(alone))


def mean_of(predicted: np.ndarray, measured: np.ndarray) -> float:
    return float(np.mean([spearman(predicted[:, q], measured[:, q]) for q in range(predicted.shape[1])]))

"""LDS on models whose truth is known: log-probabilities that are linear in the documents, and noise."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.rank_correlation import partial_spearman, spearman
from indexer.evaluate.measures.lds import Retrainings, agreement, another_seed, ceiling
from indexer.evaluate.siblings.halves import chosen, half, queries
from indexer.evaluate.statistics.two_way import mean_spearman

N, H, Q = 60, 40, 6


@pytest.fixture
def truth():
    """effects [Q, D]: a query's own document counts ten times as much as any other."""
    generator = np.random.default_rng(0)
    own = np.arange(Q) * 7
    effects = generator.normal(size=(Q, N))
    effects[np.arange(Q), own] = 30
    trained_on = np.zeros((H, N), dtype=bool)
    for k in range(H):
        trained_on[k, half(N, k, seed=3)] = True
    return effects, Retrainings(trained_on, trained_on @ effects.T, own)


def test_the_true_effects_predict_perfectly(truth):
    effects, of = truth
    found = agreement(effects, of)
    assert found.lds.value == pytest.approx(1)
    assert found.lds_without_self.value == pytest.approx(1)


def test_it_is_spearman_of_sums_written_out(truth):
    effects, of = truth
    predicted = effects + np.random.default_rng(1).normal(size=effects.shape)
    found = agreement(predicted, of)
    plain, without = [], []
    for q in range(Q):
        sums = [sum(predicted[q, d] for d in range(N) if of.trained_on[k, d]) for k in range(H)]
        plain.append(spearman(sums, of.measured[:, q]))
        without.append(partial_spearman(sums, of.measured[:, q], of.trained_on[:, of.own[q]]))
    assert found.lds.value == pytest.approx(np.mean(plain))
    assert found.lds_without_self.value == pytest.approx(np.mean(without))


def test_knowing_only_the_own_document_is_seen_through(truth):
    _, of = truth
    only_own = np.zeros((Q, N))
    only_own[np.arange(Q), of.own] = 1
    found = agreement(only_own, of)
    assert found.lds.value > 0.6
    assert found.lds_without_self.value == 0


def test_a_document_without_a_score_counts_as_nothing(truth):
    effects, of = truth
    with_zero, with_nan = effects.copy(), effects.copy()
    with_zero[:, 5], with_nan[:, 5] = 0, np.nan
    assert agreement(with_nan, of).lds.value == agreement(with_zero, of).lds.value


def test_another_seed_is_what_the_same_halves_say_of_each_other(truth):
    _, of = truth
    noise = np.random.default_rng(2).normal(0, 3, size=of.measured.shape)
    found = another_seed(of.measured + noise, of)
    each = [spearman(of.measured[:, q] + noise[:, q], of.measured[:, q]) for q in range(Q)]
    assert found.lds.value == pytest.approx(np.mean(each)) != 1
    assert another_seed(of.measured, of).lds.value == pytest.approx(1)


def test_the_mean_of_two_seeds_is_closer_to_the_truth(truth):
    effects, of = truth
    generator = np.random.default_rng(4)
    first, again = (replace(of, measured=of.measured + generator.normal(scale=9, size=(H, Q))) for _ in range(2))
    both = first.averaged(again)
    np.testing.assert_allclose(both.measured, (first.measured + again.measured) / 2)
    one, other, mean = (agreement(effects, each).lds_without_self.value for each in (first, again, both))
    assert mean > max(one, other)


def test_the_ceiling_is_what_the_expected_outcome_reaches():
    """Models whose expected outcome is known, each trained twice with luck of its own."""
    generator = np.random.default_rng(6)
    expected = generator.normal(size=(4000, 8))
    own = np.zeros((4000, 8), dtype=np.int64)
    one, other = (expected + generator.normal(size=expected.shape) for _ in range(2))
    halves = Retrainings(np.zeros((4000, 8), dtype=np.bool_), one, own[0])
    agreed = mean_spearman(other, one)
    for seeds, truth in ((1, one), (2, (one + other) / 2)):
        assert ceiling(agreed, seeds).value == pytest.approx(mean_spearman(expected, truth).value, abs=0.02)
    assert another_seed(other, halves).lds.value == pytest.approx(agreed.value)


def test_some_models_are_a_part_of_all(truth):
    effects, of = truth
    part = of.some([0, 3, 7, 9])
    assert part.measured.shape == (4, Q)
    assert agreement(effects, part).lds.value == pytest.approx(1)


def test_halves_are_halves_and_the_same_for_the_same_seed():
    picked = [half(101, k, seed=5) for k in range(20)]
    assert all(len(of) == len(set(of.tolist())) == 50 and of.max() < 101 for of in picked)
    assert len({tuple(of) for of in picked}) == 20
    np.testing.assert_array_equal(half(101, 3, seed=5), picked[3])
    assert not np.array_equal(half(101, 3, seed=6), picked[3])


def test_documents_and_queries_are_drawn_once_each():
    assert np.array_equal(chosen(5, 10, 0), np.arange(5))
    of = chosen(100, 30, 1)
    assert (np.diff(of) > 0).all()
    asked = queries(30, 12, 1)
    assert len(asked) == 12
    assert (np.diff(asked) > 0).all()

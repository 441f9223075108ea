"""LDS on models whose truth is known: log-probabilities that are linear in the documents, and noise."""

from dataclasses import replace

import numpy as np
import pytest

from attribution.rank_correlation import partial_spearman, spearman
from indexer.evaluate.measures.lds import Retrainings, agreement, averaged, between_seeds, ceiling
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


def test_between_seeds_is_the_mean_over_all_pairs(truth):
    _, of = truth
    generator = np.random.default_rng(2)
    seeds = [replace(of, measured=of.measured + generator.normal(0, 3, size=of.measured.shape)) for _ in range(3)]
    found = between_seeds(seeds)
    each = [
        spearman(a.measured[:, q], b.measured[:, q])
        for a, b in ((seeds[0], seeds[1]), (seeds[0], seeds[2]), (seeds[1], seeds[2]))
        for q in range(Q)
    ]
    assert found.lds.value == pytest.approx(np.mean(each)) != 1
    assert found.lds.n == Q
    assert between_seeds([of, of]).lds.value == pytest.approx(1)


def test_the_mean_of_more_seeds_is_closer_to_the_truth(truth):
    effects, of = truth
    generator = np.random.default_rng(4)
    seeds = [replace(of, measured=of.measured + generator.normal(scale=9, size=(H, Q))) for _ in range(4)]
    mean = averaged(seeds)
    np.testing.assert_allclose(mean.measured, sum(each.measured for each in seeds) / 4)
    two, four = (agreement(effects, averaged(seeds[:n])).lds_without_self.value for n in (2, 4))
    assert max(agreement(effects, each).lds_without_self.value for each in seeds[:2]) < two < four


def test_the_ceiling_is_what_the_expected_outcome_reaches():
    """Models whose expected outcome is known, each trained several times with luck of its own."""
    generator = np.random.default_rng(6)
    expected = generator.normal(size=(4000, 8))
    lucky = [expected + generator.normal(size=expected.shape) for _ in range(3)]
    nothing = np.zeros((4000, 8), dtype=np.bool_)
    two = [Retrainings(nothing, each, np.zeros(8, dtype=np.int64)) for each in lucky[:2]]
    for seeds in (1, 2, 3):
        reached = mean_spearman(expected, np.mean(lucky[:seeds], axis=0)).value
        assert ceiling(two, seeds).lds.value == pytest.approx(reached, abs=0.02)


def test_the_ceiling_is_taken_of_each_query_since_some_depend_on_luck_alone():
    """Half of the queries are luck alone, half are sure: of the mean agreement the root would be too high."""
    generator = np.random.default_rng(8)
    expected, luck = generator.normal(size=(4000, 8)), np.where(np.arange(8) < 4, 0.3, 30.0)
    lucky = [expected + luck * generator.normal(size=expected.shape) for _ in range(2)]
    two = [Retrainings(np.zeros((4000, 8), dtype=np.bool_), each, np.zeros(8, dtype=np.int64)) for each in lucky]
    reached = mean_spearman(expected, lucky[0]).value
    agreed = [spearman(lucky[0][:, q], lucky[1][:, q]) for q in range(8)]
    found = ceiling(two, 1).lds
    assert found.value == pytest.approx(np.mean([np.sqrt(max(0.0, r)) for r in agreed]))
    assert found.value == pytest.approx(reached, abs=0.05)
    assert found.value < np.sqrt(np.mean(agreed)) - 0.1
    assert found.means.min() >= 0 and found.interval().low < found.value < found.interval().high


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

"""Which figures models on random parts give, and of what they are the mean."""

import numpy as np
import pytest

from attribution.rank_correlation import spearman
from indexer.evaluate.measures.lds import Retrainings, agreement, averaged
from indexer.evaluate.measures.lds_figures import complete, lds_figures
from indexer.evaluate.statistics.two_way import mean_spearman

H, D, Q = 30, 20, 4


@pytest.fixture
def by_seed():
    generator = np.random.default_rng(0)
    effects, trained_on = generator.normal(size=(Q, D)), generator.random((H, D)) < 0.5
    seeds = [trained_on @ effects.T + generator.normal(size=(H, Q)) for _ in range(3)]
    return effects, [Retrainings(trained_on, each, np.arange(Q)) for each in seeds]


def found(by_seed, **names):
    effects, models = by_seed
    by_method = {"ekfac": effects, "bm25": -effects, "ekfac, attention only": effects}
    return {(each.method, each.metric): each for each in lds_figures(by_method, models, "so", **names)}


def test_the_mean_of_all_seeds_is_predicted(by_seed):
    effects, models = by_seed
    figures = found(by_seed, behind="lds_behind")
    assert figures["ekfac", "lds"].value == agreement(effects, averaged(models)).lds.value
    assert figures["bm25", "lds_behind"].value > 0
    assert ("ekfac", "lds_behind") not in figures  # the first, and only what a build stores can be
    pairs = [mean_spearman(models[i].measured, models[j].measured) for i, j in ((0, 1), (0, 2), (1, 2))]
    agreed = np.mean([each.value for each in pairs])
    assert figures["another seed", "lds"].value == pytest.approx(agreed)
    assert figures["ceiling", "lds"].value == pytest.approx(highest(models, 3))
    assert "mean of 3" in figures["ceiling", "lds"].how and figures["ceiling", "lds"].how.startswith("upper bound")


def highest(models, seeds):
    """Query by query: r of two trainings, the reliability of the mean of so many, its root; 0 where r is below 0."""
    found = []
    for q in range(Q):
        r = [spearman(a.measured[:, q], b.measured[:, q]) for i, a in enumerate(models) for b in models[i + 1 :]]
        r = max(0.0, sum(r) / len(r))
        found.append((seeds * r / (1 + (seeds - 1) * r)) ** 0.5)
    return sum(found) / Q


def test_a_second_seed_of_some_models_tells_what_luck_does_and_no_more(by_seed):
    effects, (first, again, _) = by_seed
    figures = found((effects, [first, again.some(range(12))]))
    assert figures["ekfac", "lds"].value == agreement(effects, first).lds.value
    expected = mean_spearman(first.measured[:12], again.measured[:12])
    assert figures["another seed", "lds"].value == pytest.approx(expected.value)
    assert figures["ceiling", "lds"].value == pytest.approx(highest([first.some(range(12)), again.some(range(12))], 1))
    assert len(complete([first, again.some(range(12))])) == 1


def test_one_seed_has_no_ceiling_and_other_names_are_used(by_seed):
    effects, (first, *_) = by_seed
    figures = found((effects, [first]), plain="small_lds", without_self="small_lds_without_self")
    assert {name for _, name in figures} == {"small_lds", "small_lds_without_self"}
    assert {method for method, _ in figures} == {"ekfac", "bm25", "ekfac, attention only"}


def test_few_models_or_queries_have_no_interval_and_tell_no_methods_apart(by_seed):
    """Four queries here; and of many queries with six models of a second seed, as `--quick` has them."""
    assert all((each.low, each.high) == (None, None) for each in found(by_seed, behind="lds_behind").values())
    generator = np.random.default_rng(1)
    effects, trained_on = generator.normal(size=(9, D)), generator.random((H, D)) < 0.5
    first, again = (
        Retrainings(trained_on, trained_on @ effects.T + generator.normal(size=(H, 9)), np.arange(9)) for _ in range(2)
    )
    figures = found((effects, [first, again.some(range(6))]))
    assert figures["ekfac", "lds"].low is not None
    for reference in ("another seed", "ceiling"):
        assert (figures[reference, "lds"].low, figures[reference, "lds"].high) == (None, None)
        assert figures[reference, "lds"].value > 0

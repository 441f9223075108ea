"""Which figures models on random parts give, and of what they are the mean."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.evaluate.measures.lds import Retrainings, agreement, averaged, ceiling, mean_spearman
from indexer.evaluate.measures.lds_figures import complete, lds_figures

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
    one = replace(pairs[0], value=agreed)
    assert figures["ceiling", "lds"].value == pytest.approx(ceiling(one, 3).value)
    assert "mean of 3" in figures["ceiling", "lds"].how


def test_a_second_seed_of_some_models_tells_what_luck_does_and_no_more(by_seed):
    effects, (first, again, _) = by_seed
    figures = found((effects, [first, again.some(range(12))]))
    assert figures["ekfac", "lds"].value == agreement(effects, first).lds.value
    expected = mean_spearman(first.measured[:12], again.measured[:12])
    assert figures["another seed", "lds"].value == pytest.approx(expected.value)
    assert figures["ceiling", "lds"].value == pytest.approx(ceiling(expected, 1).value)
    assert len(complete([first, again.some(range(12))])) == 1


def test_one_seed_has_no_ceiling_and_other_names_are_used(by_seed):
    effects, (first, *_) = by_seed
    figures = found((effects, [first]), plain="small_lds", without_self="small_lds_without_self")
    assert {name for _, name in figures} == {"small_lds", "small_lds_without_self"}
    assert {method for method, _ in figures} == {"ekfac", "bm25", "ekfac, attention only"}

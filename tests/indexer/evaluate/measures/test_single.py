"""Single documents left out and doubled, on effects that are known, and noise."""

import numpy as np
import pytest

from attribution.rank_correlation import spearman
from indexer.evaluate.measures.single import FIRST, Single, disputed, pairs, single_figures

Q, D, S = 8, 30, 6


@pytest.fixture
def effects():
    """What each document truly does once more  # [Q, D]"""
    return np.random.default_rng(0).normal(size=(Q, D))


def measured(effects, documents, noise=0.0):
    """[S, 2, U, Q]: without the document, and with it twice"""
    of = effects[:, documents].T
    luck = np.random.default_rng(1).normal(0, noise, size=(S, 2, len(documents), Q))
    return np.stack([-of, of]) + luck


def test_those_that_one_method_puts_first_and_another_last_are_chosen(effects):
    other = effects.copy()
    other[:, [4, 17]] = -50
    effects[:, [4, 17]] = 50
    assert disputed({"a": effects, "b": other}, list(range(Q)), 2).tolist() == [4, 17]


def test_a_querys_own_document_is_not_disputed(effects):
    other, own = effects.copy(), np.arange(Q)
    effects[own, own], other[own, own] = 50, -50  # not about others: of all else they say the same
    other[2, 20], effects[2, 20] = 40, -40
    assert disputed({"a": effects, "b": other}, own.tolist(), 1).tolist() == [20]


def test_pairs_are_those_where_a_document_stands_in_front(effects):
    documents = np.array([3, 9, 11])
    of = pairs({"a": effects, "random": -effects}, ["a"], documents, measured(effects, documents))
    front = {(q, z) for q in range(Q) for z in documents if (effects[q] > effects[q, z]).sum() < FIRST}
    n = len(of.query) // 2
    assert set(zip(of.query[:n].tolist(), of.document[:n].tolist(), strict=True)) == front
    assert of.doubled.tolist() == [False] * n + [True] * n
    np.testing.assert_allclose(of.foretold["a"][:n], -effects[of.query[:n], of.document[:n]])
    np.testing.assert_allclose(of.foretold["a"], of.measured)
    np.testing.assert_allclose(of.error, 0, atol=1e-12)


def test_the_truth_foretells_perfectly_and_its_negative_not(effects):
    documents = np.arange(10)
    of = pairs({"a": effects, "b": -effects}, ["a", "b"], documents, measured(effects, documents))
    found = {(each.method, each.metric): each for each in single_figures(of, "so")}
    for metric in ("single_left_out", "single_doubled"):
        assert found["a", metric].value == pytest.approx(1)
        assert found["b", metric].value == pytest.approx(-1)
        assert found["ceiling", metric].value == found["another seed", metric].value == pytest.approx(1)
        assert found["a", metric].n == len(set(of.document.tolist()))


def test_luck_is_seen_in_errors_and_in_the_ceiling(effects):
    documents = np.arange(20)
    of = pairs({"a": effects}, ["a"], documents, measured(effects, documents, noise=1.5))
    assert of.error.mean() == pytest.approx(1.5 / np.sqrt(S), rel=0.2)
    found = {(each.method, each.metric): each.value for each in single_figures(of, "so")}
    some = ~of.doubled
    assert found["a", "single_left_out"] == pytest.approx(spearman(of.foretold["a"][some], of.measured[some]))
    assert found["another seed", "single_left_out"] < found["ceiling", "single_left_out"] < 1


@pytest.mark.parametrize(("n", "told"), [(0, False), (1, False), (2, False), (3, True)])
def test_fewer_than_three_pairs_give_no_figure(effects, n, told):
    documents = np.arange(10)
    of = pairs({"a": effects}, ["a"], documents, measured(effects, documents))
    kept = np.concatenate([np.flatnonzero(~of.doubled)[:n], np.flatnonzero(of.doubled)])
    foretold = {name: each[kept] for name, each in of.foretold.items()}
    few = Single(foretold, of.changes[:, kept], of.query[kept], of.document[kept], of.doubled[kept])
    metrics = {each.metric for each in single_figures(few, "so")}
    assert metrics == ({"single_left_out", "single_doubled"} if told else {"single_doubled"})

"""Kept documents against a sort of everything."""

import numpy as np
import pytest

from attribution.index.document_norms import DocumentNorms
from indexer.tracing.ranking import ranked


def norms(n: int, seed: int = 0) -> DocumentNorms:
    made = np.random.default_rng(seed).uniform(0.1, 10, (4, n)).astype(np.float32)
    return DocumentNorms(*made, skipped=())


def equal_norms(n: int) -> DocumentNorms:
    return DocumentNorms(*np.ones((4, n), dtype=np.float32), skipped=())


@pytest.fixture
def totals():
    """Of 60 documents; a third was not scored."""
    made = np.random.default_rng(1).normal(size=60).astype(np.float32)
    made[::3] = np.nan
    return made


def test_ranks_are_the_places_among_everything_scored(totals):
    made = ranked(totals, norms(60), most=5)
    order = sorted((i for i in range(60) if np.isfinite(totals[i])), key=lambda i: -totals[i])
    assert made.n_scored == len(order) == 40
    assert made.documents.tolist() == [order[rank - 1] for rank in made.ranks]
    assert made.ranks.tolist() == sorted(made.ranks.tolist())
    assert (made.top.tolist(), made.tail.tolist()) == (order[:5], order[::-1][:5])


def test_both_ends_are_kept_and_nothing_else_where_norms_are_equal(totals):
    made = ranked(totals, equal_norms(60), most=5)
    assert made.ranks.tolist() == [1, 2, 3, 4, 5, 36, 37, 38, 39, 40]


def test_the_best_under_every_normaliser_are_kept(totals):
    of = norms(60)
    kept = set(ranked(totals, of, most=5).documents.tolist())
    scored = np.flatnonzero(np.isfinite(totals))
    for divisor in (of.grad_norm, of.grad_norm**2, np.sqrt(of.self_influence), of.solve_norm):
        best = scored[np.argsort(-(totals / divisor)[scored])][:5]
        assert set(best.tolist()) <= kept


def test_few_documents_are_all_kept_once():
    made = ranked(np.array([0.5, np.nan, -1.0, 2.0], dtype=np.float32), norms(4), most=20)
    assert made.documents.tolist() == [3, 0, 2]
    assert made.ranks.tolist() == [1, 2, 3]
    assert made.tail.tolist() == [2, 0, 3]


def test_ties_keep_the_order_of_the_corpus():
    made = ranked(np.zeros(6, dtype=np.float32), equal_norms(6), most=2)
    assert made.documents.tolist() == [0, 1, 4, 5]


def test_nothing_scored_keeps_nothing():
    made = ranked(np.full(4, np.nan, dtype=np.float32), norms(4), most=2)
    assert (made.n_scored, len(made.documents), len(made.top)) == (0, 0, 0)

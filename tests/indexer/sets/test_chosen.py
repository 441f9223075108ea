"""Ends, ranks and curves of made-up estimates, against sorting written out."""

import numpy as np

from indexer.sets.chosen import LEAST, curve, ends, ranks


def test_ends_are_the_largest_and_the_smallest_estimates():
    rng = np.random.default_rng(0)
    estimates = rng.normal(size=1000).astype(np.float32)
    estimates[[3, 500]] = np.nan
    of = ends(estimates, 0.06)
    known = sorted((x for x in estimates.tolist() if x == x), reverse=True)
    assert len(of.order) == 998
    assert estimates[of.first].tolist() == known[:30]
    assert estimates[of.last].tolist() == known[-30:]
    assert len(ends(estimates, 1e-9).first) == LEAST


def test_equal_estimates_go_by_corpus_order():
    of = ends(np.zeros(50, dtype=np.float32), 0.5)
    assert of.order.tolist() == list(range(50))


def test_where_both_ends_meet_all_documents_are_ranked_together():
    rng = np.random.default_rng(0)
    estimates = rng.normal(size=2 * LEAST).astype(np.float32)
    of = ends(estimates, 0.01)
    scores = rng.normal(size=len(estimates)).astype(np.float32)
    documents, places = ranks(of, scores)
    assert scores[documents].tolist() == sorted(scores.tolist(), reverse=True)
    assert places.tolist() == list(range(1, len(estimates) + 1))


def test_documents_of_one_end_are_ranked_by_score():
    rng = np.random.default_rng(0)
    estimates = np.arange(100, 0, -1).astype(np.float32)
    of = ends(estimates, 0.2)
    scores = np.full(100, np.nan, dtype=np.float32)
    scores[of.documents] = rng.normal(size=2 * LEAST)
    scores[2] = np.nan  # its gradient is not finite
    documents, places = ranks(of, scores)
    assert set(documents.tolist()) == {*range(10), *range(90, 100)} - {2}
    assert places.tolist() == [*range(1, 10), *range(91, 101)]
    assert (np.diff(scores[documents[:9]]) <= 0).all() and (np.diff(scores[documents[9:]]) <= 0).all()


def test_a_curve_has_both_ends_and_the_sum_of_all():
    rng = np.random.default_rng(0)
    estimates = rng.normal(size=5000).astype(np.float32)
    order = ends(estimates, 0.03).order
    places, values, totals = curve(estimates, order)
    assert len(places) < 700 and (np.diff(places) > 0).all()
    assert {1, 2, 3, 4998, 4999, 5000} <= set(places.tolist())
    by_hand = np.sort(estimates.astype(np.float64))[::-1]
    np.testing.assert_allclose(values, by_hand[places - 1], rtol=1e-6)
    np.testing.assert_allclose(totals, by_hand.cumsum()[places - 1], rtol=1e-4, atol=1e-4)
    assert [len(of) for of in curve(estimates[:0], order[:0])] == [0, 0, 0]

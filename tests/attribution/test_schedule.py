"""Every decision of the schedule against counting what both ways would cost, pair by pair."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attribution.schedule import (
    Rates,
    Schedule,
    by_tokens,
    near_each_other,
    of_kind,
    pieces,
    product_cost,
    runs,
)

KINDS = [of_kind("cpu"), of_kind("cuda"), Schedule(rates=Rates(1.0, 1.0, 0.5, 7.0, 1))]
WANTED = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@pytest.mark.parametrize("of", KINDS)
@given(wanted=WANTED, lengths=st.lists(st.integers(1, 900), min_size=12, max_size=12))
def test_the_cheaper_way_is_taken_for_every_document(of, wanted, lengths):
    found = by_tokens(wanted, np.array(lengths[: wanted.shape[1]]), of.rates)
    for d, length in enumerate(lengths[: wanted.shape[1]]):
        queries = [q for q in range(len(wanted)) if wanted[q, d]]
        crowd = len(queries) > len(wanted) / 2
        tokens = sum(1.0 for _ in queries for _ in range(length))
        gradient = sum(of.rates.forming for _ in range(length))
        gradient += sum(of.rates.product if crowd else 8 * of.rates.products / of.rates.memory for _ in queries)
        if abs(tokens - gradient) > 1e-6:
            assert bool(found[d]) == (bool(queries) and tokens < gradient)


def test_what_nobody_wants_is_not_passed_at_all():
    assert by_tokens(np.zeros((3, 2), dtype=bool), np.array([5, 900]), Rates()).tolist() == [False, False]


def test_memory_and_products_decide_how_soon_a_gradient_pays():
    """Forty tokens, two of 64 queries: with fast memory a gradient is multiplied at once, with slow memory never."""
    wanted = np.zeros((64, 1), dtype=bool)
    wanted[:2] = True
    slow, fast = (by_tokens(wanted, np.array([40]), replace(Rates(), memory=of))[0] for of in (1e9, 1e12))
    assert slow and not fast


@given(wanted=WANTED, most=st.integers(1, 13))
def test_groups_hold_every_document_once_and_a_query_meets_as_few_as_there_can_be(wanted, most):
    one_each = wanted & (np.cumsum(wanted, axis=0) == 1)  # the first query that wants it
    documents = np.flatnonzero(wanted.any(axis=0))
    groups = near_each_other(wanted, documents, most)
    assert sorted(int(d) for group in groups for d in group) == documents.tolist()
    assert all(len(group) <= most for group in groups)
    meetings = sum(bool(one_each[q, group].any()) for q in range(len(wanted)) for group in groups)
    asking = int(one_each.any(axis=1).sum())
    assert meetings <= asking + len(groups) - 1 + (asking == 0)  # each border cuts one query at most


@pytest.mark.parametrize("of", KINDS)
@given(wanted=WANTED)
def test_runs_cover_every_wanted_pair_once_and_are_no_dearer_than_single_queries(of, wanted):
    covered, price = np.zeros(wanted.shape, dtype=int), 0
    for queries, documents in runs(wanted, of.rates):
        assert wanted[queries].any(axis=0).nonzero()[0].tolist() == documents.tolist()
        covered[queries, documents] += 1
        n_queries, n_documents = queries.stop - queries.start, len(documents)
        price += sum(1 for _ in range(n_queries + of.rates.rows) for _ in range(n_documents + of.rates.rows))
    assert (covered <= 1).all()
    assert (covered[wanted] == 1).all()
    assert price <= sum(product_cost(1, row, of.rates) for row in wanted)


def test_everything_wanted_is_one_product_and_answers_with_nothing_in_common_are_two():
    assert len(runs(np.ones((5, 3), dtype=bool), Rates())) == 1
    wanted = np.zeros((40, 40), dtype=bool)
    wanted[:20, :20] = wanted[20:, 20:] = True
    assert [queries for queries, _ in runs(wanted, Rates())] == [slice(0, 20), slice(20, 40)]


@given(n=st.integers(0, 40), each=st.integers(1, 9), most=st.integers(0, 50))
def test_pieces_are_all_items_in_order_and_as_few_as_fit(n, each, most):
    made = list(pieces(n, each, most))
    assert [i for piece in made for i in range(n)[piece]] == list(range(n))
    sizes = [piece.stop - piece.start for piece in made]
    assert all(size == 1 or size * each <= most for size in sizes)
    assert all((size + 1) * each > most for size in sizes[:-1])


def test_memory_is_shared_out_in_whole_items():
    assert Schedule(memory=1 << 30).fits(1 << 20) == 1024
    assert Schedule(memory=1 << 30).fits(1 << 20, 0.5) == 512
    assert Schedule(memory=1 << 30).fits(1 << 40) == 1
    assert Schedule(memory=0).fits(1) == 1


def test_another_kind_of_device_is_an_accelerator():
    assert of_kind("xpu") == of_kind("cuda") != of_kind("cpu")


def test_a_share_is_one_of_the_memory_and_never_nothing():
    assert Schedule(memory=8 << 30).share(0.25) == 2 << 30
    assert Schedule(memory=3).share(0.01) == 1

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attribution.exact.matrices import LayerDirections, Whole
from attribution.exact.products import add_layer_products, cost, runs

CPU = torch.device("cpu")


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_runs_cover_every_wanted_pair_once_and_are_no_dearer_than_single_queries(wanted):
    covered = np.zeros(wanted.shape, dtype=int)
    price = 0
    for queries, documents in runs(wanted, CPU):
        covered[queries, documents] += 1
        price += cost(queries.stop - queries.start, np.isin(np.arange(wanted.shape[1]), documents))
    assert (covered <= 1).all()
    assert (covered[wanted] == 1).all()
    assert price <= sum(cost(1, row) for row in wanted)


def test_everything_wanted_is_one_product():
    assert len(runs(np.ones((5, 3), dtype=bool), CPU)) == 1


def test_answers_without_a_document_in_common_stay_apart():
    wanted = np.zeros((40, 40), dtype=bool)
    wanted[:20, :20] = wanted[20:, 20:] = True
    assert [queries for queries, _ in runs(wanted, CPU)] == [slice(0, 20), slice(20, 40)]


@pytest.mark.parametrize(("n_out", "n_in"), [(6, 5), (5, 6)])
def test_products_are_sums_over_the_positions_of_every_pass(monkeypatch, n_out, n_in):
    monkeypatch.setattr("attribution.exact.products.ROWS", 2)
    P = torch.randn(4, n_out, n_in)
    passes = [(torch.randn(b, t, n_out), torch.randn(b, t, n_in)) for b, t in ((3, 7), (2, 1))]
    out = torch.zeros(4, 5)
    add_layer_products(out, LayerDirections(None, (Whole(P),)), passes, [(slice(0, 4), torch.arange(5))], 20)
    expected = [torch.einsum("qoi,bto,bti->qb", P, deltas, inputs) for deltas, inputs in passes]
    torch.testing.assert_close(out, torch.cat(expected, dim=1))

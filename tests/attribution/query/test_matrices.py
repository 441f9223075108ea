"""Directions kept as tokens are the dense ones, whichever way they are asked for."""

import pytest
import torch

from attribution.curvature.blocks import EigenBlock, precondition
from attribution.curvature.factors import Eigenbasis
from attribution.model.layers import Layer
from attribution.query.matrices import LayerDirections, Outer, Whole, joined, met

OUT, IN, T = 5, 7, 3


def basis(seed):
    generator = torch.Generator().manual_seed(seed)

    def rotation(n):
        return torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64)).Q

    lam = torch.rand(OUT, IN, generator=generator, dtype=torch.float64) + 0.1
    return Eigenbasis(rotation(IN), rotation(OUT), lam)


def outer(of, n, seed):
    """n directions in a basis, and the same dense  # [n, out, in]"""
    generator = torch.Generator().manual_seed(seed)
    deltas = torch.randn(n, T, OUT, generator=generator, dtype=torch.float64)
    inputs = torch.randn(T, IN, generator=generator, dtype=torch.float64)
    dense = precondition(deltas.mT @ inputs, of.Q_A, of.Q_S, of.lam, 0.3)
    kept = LayerDirections(of, (Outer(deltas @ of.Q_S, inputs @ of.Q_A, EigenBlock(of, 0.3)),))
    return kept, dense


def test_all_ways_to_ask_give_the_dense_directions():
    one = basis(0)
    (a, dense_a), (b, dense_b) = outer(one, 2, 1), outer(one, 3, 2)
    whole, dense = joined([a, b]), torch.cat([dense_a, dense_b])
    assert (whole.n, whole.shape, len(whole.parts)) == (5, (OUT, IN), 2)
    x = torch.randn(4, IN, dtype=torch.float64)
    for kept in (whole, whole.formed(), whole.plain()):
        torch.testing.assert_close(kept.values, dense)
        torch.testing.assert_close(kept.in_basis(one), one.Q_S.T @ dense @ one.Q_A)
        torch.testing.assert_close(kept.in_basis(basis(9)), basis(9).Q_S.T @ dense @ basis(9).Q_A)
        for q in range(5):
            torch.testing.assert_close(kept.apply(q, x), x @ dense[q].T)
    in_basis = one.Q_S.T @ dense @ one.Q_A
    torch.testing.assert_close(whole.flat(1, 4), in_basis[:, 1:4].flatten(1))
    torch.testing.assert_close(whole.formed().flat(1, 4), in_basis[:, 1:4].flatten(1))


@pytest.mark.parametrize("queries", [[0], [4, 0, 1], [1, 2], slice(1, 4), [3, 3, 3], slice(2, 2)])
def test_some_of_the_queries_in_any_order(queries):
    one = basis(0)
    (a, dense_a), (b, dense_b) = outer(one, 2, 1), outer(one, 3, 2)
    some = joined([a, b]).of(queries)
    expected = torch.cat([dense_a, dense_b])[queries]
    assert some.n == len(expected)
    torch.testing.assert_close(some.values, expected)


def test_queries_of_other_bases_are_joined_as_they_are():
    (a, dense_a), (b, dense_b) = outer(basis(0), 2, 1), outer(basis(1), 3, 2)
    plain = LayerDirections(None, (Whole(dense_b[:1]),))
    together = joined([a, b, plain])
    assert together.basis is None
    torch.testing.assert_close(together.values, torch.cat([dense_a, dense_b, dense_b[:1]]))


def test_there_is_no_query_beyond_the_last():
    with pytest.raises(IndexError):
        outer(basis(0), 2, 1)[0].matrix(2)


@pytest.mark.parametrize("shared", [True, False])
def test_layers_that_read_the_same_in_one_basis_turn_it_once(shared):
    one, other = basis(0), basis(1)
    second = Eigenbasis(one.Q_A if shared else other.Q_A, other.Q_S, other.lam)
    layers = [Layer(n, f"l{n}", "mlp", 0, OUT, IN, reads=0) for n in range(2)]
    directions = [outer(of, 1, 3)[0] for of in (one, second)]
    asked = []

    def inputs(n):
        asked.append(n)
        return [torch.ones(1, T, IN, dtype=torch.float64)]

    found = list(met(layers, directions, lambda n: [torch.full((1, T, OUT), n + 1.0, dtype=torch.float64)], inputs))
    assert asked == ([0] if shared else [0, 1])
    for (n, [deltas], [a]), of in zip(found, (one, second), strict=True):
        torch.testing.assert_close(a, torch.ones(1, T, IN, dtype=torch.float64) @ of.Q_A)
        torch.testing.assert_close(deltas, torch.full((1, T, OUT), n + 1.0, dtype=torch.float64) @ of.Q_S)

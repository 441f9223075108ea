"""Rows of an embedding block kept as what they are made of are the dense ones."""

import pytest
import torch

from attribution.curvature.blocks import ChainBlock, DiagonalBlock, EigenBlock, IdentityBlock
from attribution.curvature.factors import Eigenbasis
from attribution.query.vocabulary_rows import (
    Read,
    ReadRows,
    RowBlock,
    inverse_rows,
    pulled_rows,
    stack_rows,
    whole_rows,
)

V, H, T, K = 11, 4, 6, 3


def diagonal(seed):
    fisher = torch.rand(V, H, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return DiagonalBlock(fisher, 0.1 * (seed + 1))


BLOCKS = {
    "diagonal": diagonal(0),
    "identity": IdentityBlock(),
    "chain": ChainBlock(diagonal(0), diagonal(1), 0.7),
    "three stages": ChainBlock(ChainBlock(diagonal(2), diagonal(0), 0.3), diagonal(1), 0.7),
}


def read(seed, positions):
    """Gradients of K queries in a tied block, and the same dense  # [K, V, H]"""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    query_of = torch.tensor(positions)
    deltas, hidden, looked_up = normal(len(positions), V), normal(len(positions), H), normal(K, T, H)
    ids = torch.randint(V, (T,), generator=generator)
    dense = torch.zeros(K, V, H, dtype=torch.float64)
    for n, k in enumerate(positions):
        dense[k] += deltas[n][:, None] * hidden[n]
    for k in range(K):
        dense[k].index_add_(0, ids, looked_up[k])
    return Read(deltas, hidden, query_of, ids, looked_up), dense


@pytest.mark.parametrize("positions", [[0, 1, 2], [0, 0, 1, 2, 2, 2], [1], []])
def test_gradients_are_the_sums_that_they_are_made_of(positions):
    of, dense = read(0, positions)
    everything = torch.arange(V)
    torch.testing.assert_close(of.gradients(everything), dense)
    some = torch.tensor([1, 4, 5, 10])
    torch.testing.assert_close(of.gradients(some), dense[:, some])
    torch.testing.assert_close(of.gradients(some, slice(1, 3)), dense[1:3, some])
    order = torch.tensor([2, 0])
    torch.testing.assert_close(of.of(order).gradients(everything), dense[order])


@pytest.mark.parametrize("name", BLOCKS)
def test_what_a_number_is_multiplied_with_is_what_the_block_solves(name):
    block, g = BLOCKS[name], torch.ones(V, H, dtype=torch.float64)
    rows = torch.arange(V)
    torch.testing.assert_close(inverse_rows(block, rows).expand(V, H).double(), block.solve(g))
    pulled = block.solve_pulled(g)[1] if isinstance(block, ChainBlock) else g
    torch.testing.assert_close(pulled_rows(block, rows).expand(V, H).double(), pulled)


def test_a_block_that_mixes_numbers_has_no_such_number():
    eye = torch.eye(2)
    mixing = EigenBlock(Eigenbasis(eye, eye, eye), 0.1)
    assert inverse_rows(mixing, torch.arange(2)) is None
    assert pulled_rows(ChainBlock(mixing, mixing, 1.0), torch.arange(2)) is None


def block_of(seed, rows, kept):
    of, dense = read(seed, [0, 1, 2])
    at = torch.searchsorted(rows, of.at).clamp(max=len(rows) - 1)
    at = torch.where(rows[at] == of.at, at, -1)
    fewer = Read(of.deltas[:, rows], of.hidden, of.query_of, at, of.looked_up)
    P = BLOCKS["diagonal"].solve(dense)
    expected = torch.zeros_like(P)
    expected[:, rows] = P[:, rows] * kept[..., None]
    return RowBlock(rows, (ReadRows(rows, fewer, kept, BLOCKS["diagonal"]),)), expected


def test_rows_of_all_queries_and_those_of_one():
    rows = torch.tensor([0, 2, 3, 7, 9])
    kept = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1]], dtype=torch.bool)
    block, expected = block_of(3, rows, kept)
    others, of_others = block_of(4, torch.tensor([2, 8]), torch.ones(3, 2, dtype=torch.bool))
    dense = whole_rows(torch.tensor([8, 9]), of_others[:1, [8, 9]])
    of_dense = torch.zeros_like(of_others[:1])
    of_dense[:, [8, 9]] = of_others[:1, [8, 9]]
    for found, truth in (
        (block, expected),
        (stack_rows([block, others]), torch.cat([expected, of_others])),
        (stack_rows([others, block, dense]), torch.cat([of_others, expected, of_dense])),
    ):
        torch.testing.assert_close(found.values, truth[:, found.rows])
        for start, stop in ((0, 1), (1, 3), (2, len(found.rows))):
            torch.testing.assert_close(found.between(start, stop), truth[:, found.rows[start:stop]])
        for q in range(found.n):
            own, P = found.query(q)
            one = torch.zeros(V, H, dtype=torch.float64)
            one[own] = P
            torch.testing.assert_close(one, truth[q])
        backwards = found.of(range(found.n)[::-1])
        torch.testing.assert_close(backwards.values, truth.flip(0)[:, found.rows])
        with pytest.raises(IndexError):
            found.query(found.n)

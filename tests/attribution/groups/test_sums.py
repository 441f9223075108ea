from dataclasses import replace

import pytest
import torch

from attribution.curvature.blocks import ChainBlock, Preconditioner
from attribution.groups.products import cell_products, cells_of
from attribution.groups.sums import Sums, add_documents, bytes_of_cell, cells_held
from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs

IDS = (0, 3, 4, 5, 3, 7)
CELLS = [0, 1, 2, 1, 0, 0, 1, -1, 2, 0, 1, 1]


def added(tracked, documents, cells, n_cells=3):
    sums = Sums(tracked, n_cells)
    add_documents(sums, tracked, documents, cells, lambda _n: None)
    return sums


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_sums_are_those_of_dense_gradients(kind):
    tracked, _ = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents(12)
    documents[4] = replace(documents[4], times=3)
    found = added(tracked, documents, CELLS)
    for cell in range(3):
        dense = tiny.gradient(
            tracked,
            lambda moving, cell=cell: sum(
                of.times * tiny.loss(tracked, moving, of) for of, c in zip(documents, CELLS, strict=True) if c == cell
            ),
        )
        for sums, expected in zip(found.by_layer, dense, strict=True):
            torch.testing.assert_close(sums[cell], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["llama", "llama-untied"])
def test_pairs_add_what_dpo_learns(kind):
    tracked, reference = (track(tiny.tiny_model(kind, seed)) for seed in (0, 1))
    pairs = tiny_pairs.pairs(tracked, reference, 4)
    found = added(tracked, pairs, [0, 1, 1, -1], 2)
    learned = [tiny_pairs.gradient(tracked, reference, pair) for pair in pairs]
    expected = [learned[0], [one + other for one, other in zip(learned[1], learned[2], strict=True)]]
    for cell, of in enumerate(expected):
        for sums, wanted in zip(found.by_layer, of, strict=True):
            torch.testing.assert_close(sums[cell], wanted, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_a_group_does_what_its_documents_do(kind):
    tracked, H = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents(12)
    sums = added(tracked, documents, CELLS)
    sums.turn(H)
    d = query_directions(tracked, H, IDS, 3, negligible=0)
    found = cell_products(tracked, H, d, cells_of(sums))
    for q, at in enumerate((3, 4, 5)):
        query = tiny.Row(IDS[: at + 1], first_target=at)
        f = tiny.gradient(tracked, lambda moving, of=query: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), f)
        for cell in range(3):
            mine = [of for of, c in zip(documents, CELLS, strict=True) if c == cell]
            g = tiny.gradient(tracked, lambda moving, mine=mine: sum(tiny.loss(tracked, moving, of) for of in mine))
            torch.testing.assert_close(found[q, cell], tiny.inner(solved, g).sum(), rtol=1e-6, atol=1e-10)


def test_nothing_depends_on_batches_order_files_or_memory():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(12)
    d = query_directions(tracked, H, IDS, 2)
    sums = added(tracked, documents, CELLS)
    sums.turn(H)
    expected = cell_products(tracked, H, d, cells_of(sums))
    small = tiny.scheduled(tracked, memory=1, cached=16, tokens=9)
    backwards = added(small, documents[::-1], CELLS[::-1])
    backwards.turn(H)
    files = [[of[:2] for of in backwards.by_layer], [of[2:] for of in backwards.by_layer]]
    torch.testing.assert_close(cell_products(small, H, d, files), expected)
    torch.testing.assert_close(cell_products(tracked, H, settled(tracked, d, 1), files), expected)


def test_directions_of_another_basis_meet_the_same_sums():
    """As those of a later stage of training do."""
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(12)
    later = Preconditioner(tuple(ChainBlock(block, block, 0.3) for block in H.blocks))
    d = query_directions(tracked, later, IDS, 2, negligible=0)
    assert d.linear[0].basis is None
    sums = added(tracked, documents, CELLS)
    sums.turn(H)
    found = cell_products(tiny.scheduled(tracked, memory=1), H, d, cells_of(sums))
    plain = added(tracked, documents, CELLS)
    expected = sum(
        torch.einsum("qoi,coi->qc", of.values, sums) for of, sums in zip(d.linear, plain.by_layer, strict=False)
    )
    for block, sums in zip(d.embedding, plain.by_layer[len(tracked.linear) :], strict=True):
        expected += torch.einsum("qrh,crh->qc", block.values, sums[:, block.rows])
    torch.testing.assert_close(found, expected)


def test_a_document_without_a_finite_gradient_adds_nothing():
    tracked, _ = tiny.tiny_engine()
    documents = tiny.tiny_documents(3, plain=True)
    captured = capture(tracked, pad(documents, [0, 1, 2]))
    broken = replace(captured, embedded_deltas=captured.embedded_deltas.clone(), deltas=list(captured.deltas))
    broken.embedded_deltas[1] = torch.nan
    broken.deltas[0] = broken.deltas[0].clone()
    broken.deltas[0][1] = torch.inf
    found, expected = Sums(tracked, 1), Sums(tracked, 1)
    found.add(broken, [0, 0, 0])
    expected.add(captured, [0, -1, 0])
    torch.testing.assert_close(found.by_layer, expected.by_layer)


def test_as_many_cells_as_the_memory_holds():
    tracked, _ = tiny.tiny_engine()
    each = bytes_of_cell(tracked)
    assert each == 4 * sum(of[0].numel() for of in Sums(tracked, 1).by_layer)
    assert cells_held(tiny.scheduled(tracked, memory=10 * each)) == 3
    assert cells_held(tiny.scheduled(tracked, memory=each)) == 0

"""Sums of squares of gradients against gradients that are written out, whatever the size of the slices."""

import pytest
import torch

from attribution.curvature.fit_embedding import add_block
from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from attribution.passes.squares import add_squares, slices
from attribution.schedule import Schedule
from tests.attribution import tiny


@pytest.mark.parametrize("cached", [1, 40, 10_000])
def test_squares_are_added_up(cached):
    documents = [(torch.randn(t, 7).double(), torch.randn(t, 5).double()) for t in (1, 4, 9)]
    total = torch.ones(7, 5).double()
    add_squares(total, documents, cached)
    torch.testing.assert_close(total, 1 + sum((d.T @ a) ** 2 for d, a in documents))


def test_slices_cover_every_row_once():
    assert [slices(7, 5, cached) for cached in (1, 30, 70)] == [
        [slice(i, i + 1) for i in range(7)],
        [slice(0, 3), slice(3, 6), slice(6, 7)],
        [slice(0, 7)],
    ]


@pytest.mark.parametrize("cached", [1, 60, 10_000])
@pytest.mark.parametrize("kind", ["llama", "llama-untied", "gemma3"])
def test_squares_of_the_embedding_are_those_of_its_gradients(kind, cached):
    loaded = tiny.tiny_model(kind)
    tracked = track(type(loaded)(**{**vars(loaded), "schedule": Schedule(cached=cached)}))
    documents = tiny.tiny_documents(6)
    captured = capture(tracked, pad(documents, range(6)), torch.Generator().manual_seed(0))
    for i, block in enumerate(tracked.embedding):
        total = tracked.zeros(block.n_out, block.n_in)
        add_block(tracked, total, captured, i)
        exact = block_gradients(tracked, captured, i, slice(0, block.n_out)).square().sum(dim=0)
        assert exact.max() > 0
        torch.testing.assert_close(total, exact)

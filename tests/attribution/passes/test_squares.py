"""Sums of squares of gradients against gradients that are written out, whatever the size of the slices."""

import pytest
import torch

from attribution.passes.squares import add_squares, slices


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

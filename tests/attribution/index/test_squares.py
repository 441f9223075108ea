"""Sums of squares by slices are those of the dense gradient, however it is cut."""

import pytest
import torch

from attribution.curvature.blocks import EigenBlock
from attribution.curvature.factors import Eigenbasis
from attribution.index.squares import layer_squares, slices
from attribution.schedule import Schedule


@pytest.mark.parametrize("n_tokens", [3, 130])
@pytest.mark.parametrize("cached", [16, 2**9, 2**14, 2**22])
def test_squares_are_those_of_the_dense_gradient(n_tokens, cached):
    generator = torch.Generator().manual_seed(0)
    deltas = torch.randn(5, n_tokens, 300, generator=generator)
    inputs = torch.randn(5, n_tokens, 20, generator=generator)
    lam = torch.rand(300, 20, generator=generator)
    block = EigenBlock(Eigenbasis(torch.eye(20), torch.eye(300), lam), 0.1)
    W = deltas.double().mT @ inputs.double()
    Y = W / (lam.double() + 0.1)
    dense = torch.stack([(one * other).sum(dim=(1, 2)) for one, other in ((W, W), (W, Y), (Y, Y))])
    found = layer_squares(deltas, inputs, block, Schedule(cached=cached))
    torch.testing.assert_close(found, dense, rtol=1e-5, atol=0)


@pytest.mark.parametrize("cached", [1, 2**9, 2**14, 2**22])
def test_slices_hold_every_row_once(cached):
    parts = slices(7, 300, 20, Schedule(cached=cached))
    assert [i for of in parts for i in range(of.start, of.stop)] == list(range(300))

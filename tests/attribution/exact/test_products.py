import pytest
import torch

from attribution.exact.products import add_layer_products
from attribution.query.matrices import LayerDirections, Whole


@pytest.mark.parametrize(("n_out", "n_in"), [(6, 5), (5, 6)])
def test_products_are_sums_over_the_positions_of_every_pass(monkeypatch, n_out, n_in):
    monkeypatch.setattr("attribution.exact.products.ROWS", 2)
    P = torch.randn(4, n_out, n_in)
    passes = [(torch.randn(b, t, n_out), torch.randn(b, t, n_in)) for b, t in ((3, 7), (2, 1))]
    out = torch.zeros(4, 5)
    add_layer_products(out, LayerDirections(None, (Whole(P),)), passes, [(slice(0, 4), torch.arange(5))], 20)
    expected = [torch.einsum("qoi,bto,bti->qb", P, deltas, inputs) for deltas, inputs in passes]
    torch.testing.assert_close(out, torch.cat(expected, dim=1))

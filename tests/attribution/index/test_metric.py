import torch

from attribution.curvature.blocks import EigenBlock
from attribution.curvature.factors import Eigenbasis
from attribution.index.metric import metrics


def block(lam: torch.Tensor, Q_A: torch.Tensor | None = None) -> EigenBlock:
    n_out, n_in = lam.shape
    return EigenBlock(Eigenbasis(torch.eye(n_in) if Q_A is None else Q_A, torch.eye(n_out), lam), 0.0)


def test_a_product_is_fitted_exactly():
    s, a = torch.rand(4) + 0.1, torch.rand(6) + 0.1
    [metric] = metrics([block(s[:, None] * a)], 100)
    torch.testing.assert_close(metric.root_s[:, None] ** 2 * metric.root_a**2, s[:, None] * a)


def test_only_the_leading_directions_are_kept():
    s, a = torch.tensor([1.0, 9.0, 4.0]), torch.tensor([2.0, 1.0])
    [metric] = metrics([block(s[:, None] * a)], 2)
    assert (metric.of_s.tolist(), metric.of_a.tolist()) == ([1, 2], [0, 1])
    deltas, inputs = metric.scaled_deltas(torch.ones(5, 3)), metric.scaled_inputs(torch.ones(5, 2))
    assert (deltas.shape, inputs.shape) == ((5, 2), (5, 2))


def test_layers_that_read_the_same_share_their_input_scale():
    lam = torch.rand(3, 2) + 0.1
    turned = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    one, two, other = metrics([block(lam), block(lam * 3), block(lam, turned)], 100)
    assert one.root_a is two.root_a
    assert other.root_a is not one.root_a

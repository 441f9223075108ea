import torch

from attribution.curvature.blocks import EigenBlock
from attribution.curvature.factors import Eigenbasis
from attribution.index.metric import metrics
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from tests.attribution import tiny


def many(*reads: int) -> Tracked:
    """Layers of which number n reads what number `reads[n]` reads; no model is needed."""
    layers = tuple(Layer(n, f"m{n}", "mlp", 0, 3, 2, of) for n, of in enumerate(reads))
    return Tracked(tiny.tiny_model(), layers, ())


def block(lam: torch.Tensor, Q_A: torch.Tensor | None = None) -> EigenBlock:
    n_out, n_in = lam.shape
    return EigenBlock(Eigenbasis(torch.eye(n_in) if Q_A is None else Q_A, torch.eye(n_out), lam), 0.0)


def test_a_product_is_fitted_exactly():
    s, a = torch.rand(4) + 0.1, torch.rand(6) + 0.1
    [metric] = metrics(many(0), [block(s[:, None] * a)], 100)
    torch.testing.assert_close(metric.root_s[:, None] ** 2 * metric.root_a**2, s[:, None] * a)


def test_only_the_leading_directions_are_kept():
    s, a = torch.tensor([1.0, 9.0, 4.0]), torch.tensor([2.0, 1.0])
    [metric] = metrics(many(0), [block(s[:, None] * a)], 2)
    assert (metric.of_s.tolist(), metric.of_a.tolist()) == ([1, 2], [0, 1])
    deltas, inputs = metric.scaled_deltas(torch.ones(5, 3)), metric.scaled_inputs(torch.ones(5, 2))
    assert (deltas.shape, inputs.shape) == ((5, 2), (5, 2))


def test_layers_that_read_the_same_share_their_input_scale():
    lam = torch.rand(3, 2) + 0.1
    turned = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    blocks = [block(lam), block(lam * 3), block(lam, turned), block(lam * 5, turned)]
    one, two, other_basis, other_input = metrics(many(0, 0, 0, 3), blocks, 100)
    torch.testing.assert_close(one.root_a, (lam.log().mean(0) / 2 + torch.tensor(3.0).log() / 4).exp())
    assert torch.equal(one.root_a, two.root_a)
    assert not torch.equal(other_basis.root_a, one.root_a)
    assert not torch.equal(other_input.root_a, other_basis.root_a)
    assert [of.same_inputs for of in (one, two, other_basis, other_input)] == [False, True, False, False]

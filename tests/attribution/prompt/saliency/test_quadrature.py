"""Placed nodes integrate what evenly placed ones miss, and both integrate what is easy."""

import torch

from attribution.prompt.saliency.quadrature import bend_following, gauss_legendre


def test_gauss_legendre_is_exact_for_polynomials():
    nodes, weights = gauss_legendre(4)
    torch.testing.assert_close((weights * nodes**7).sum(), torch.tensor(1 / 8, dtype=torch.float64))


def test_nodes_follow_a_jump():
    def f(a):
        return torch.sigmoid(2000 * (a - 0.3))

    def slope(a):
        return 2000 * f(a) * (1 - f(a))

    places = torch.linspace(0, 1, 257, dtype=torch.float64)
    nodes, weights = bend_following(f(places)[:, None], 64)
    even_nodes, even_weights = gauss_legendre(64)
    assert abs(float((weights * slope(nodes)).sum()) - 1) < 1e-3
    assert abs(float((even_weights * slope(even_nodes)).sum()) - 1) > 0.1


def test_any_number_of_steps_and_a_flat_scan():
    for steps in (1, 4, 7, 64, 66):
        nodes, weights = bend_following(torch.zeros(257, 3), steps)
        assert len(nodes) == len(weights) == steps
        torch.testing.assert_close(weights.sum(), torch.tensor(1.0, dtype=torch.float64))
        assert bool(((nodes > 0) & (nodes < 1)).all())

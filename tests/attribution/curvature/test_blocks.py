from dataclasses import replace

import pytest
import torch

from attribution.curvature.blocks import damp, no_curvature, precondition
from attribution.errors import BadInput
from tests.attribution import tiny


def test_ekfac_is_exact_where_curvature_is_a_kronecker_product():
    generator = torch.Generator().manual_seed(0)
    a, d = (torch.randn(50, n, generator=generator, dtype=torch.float64) for n in (5, 3))
    A, S = a.T @ a / 50, d.T @ d / 50
    (alpha, Q_A), (sigma, Q_S) = torch.linalg.eigh(A), torch.linalg.eigh(S)
    g = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    dense = torch.kron(S, A) + 0.01 * torch.eye(15, dtype=torch.float64)
    found = precondition(g, Q_A, Q_S, sigma[:, None] * alpha, 0.01)
    torch.testing.assert_close(found.flatten(), torch.linalg.solve(dense, g.flatten()), rtol=1e-6, atol=0)


def test_every_block_is_solved_with_its_own_damping():
    tracked, _ = tiny.tiny_engine("gpt-neox")
    factors = tiny.random_factors(tracked)
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, tiny.tiny_documents()[0]))
    found = tuple(block.solve(of) for block, of in zip(damp(factors, 0.3).blocks, g, strict=True))
    for block, truth in zip(found, tiny.dense_solve(factors, g, 0.3), strict=True):
        torch.testing.assert_close(block, truth, rtol=1e-5, atol=1e-12)


def test_absolute_damping_is_the_same_for_all():
    tracked, _ = tiny.tiny_engine()
    assert {block.damping for block in damp(tiny.random_factors(tracked), absolute=0.5).blocks} == {0.5}


@pytest.mark.parametrize("damping", [0.0, -1.0, float("nan")])
def test_damping_must_be_positive(damping):
    tracked, _ = tiny.tiny_engine()
    with pytest.raises(BadInput, match="positive damping"):
        damp(tiny.random_factors(tracked), damping)


def test_no_curvature_changes_nothing():
    tracked, _ = tiny.tiny_engine()
    g = torch.ones(2, 3)
    assert all(torch.equal(block.solve(g), g) for block in no_curvature(tracked).blocks)


def test_a_sum_of_tokens_is_solved_like_its_gradient():
    tracked, H = tiny.tiny_engine()
    deltas, inputs = torch.randn(3, 6, 12, dtype=torch.float64), torch.randn(6, 8, dtype=torch.float64)
    block = H.blocks[4]
    g = deltas.transpose(1, 2) @ inputs
    P = block.basis.Q_S @ block.solve_turned(deltas, inputs) @ block.basis.Q_A.T
    torch.testing.assert_close(P, block.solve(g))


def test_a_block_that_the_fit_never_reached_is_damped_as_the_others():
    tracked, _ = tiny.tiny_engine()
    factors = tiny.random_factors(tracked)
    first, *rest = factors.linear
    factors = replace(factors, linear=(replace(first, lam=torch.zeros_like(first.lam)), *rest))
    found = damp(factors, 0.2).blocks
    mean = sum(float(of.lam.mean()) for of in rest) / len(rest)
    assert found[0].damping == pytest.approx(0.2 * mean)
    assert found[1].damping == pytest.approx(0.2 * float(rest[0].lam.mean()))
    g = torch.ones_like(first.lam)
    torch.testing.assert_close(found[0].solve(g), g / (0.2 * mean))

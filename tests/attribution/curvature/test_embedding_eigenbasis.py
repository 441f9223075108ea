"""The embedding block in its eigenbasis, against the dense Gauss–Newton matrix of that block."""

import pytest
import torch

from attribution.curvature.embedding_eigenbasis import TurnedBlock, embedding_eigenbasis, turned, turned_blocks
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from tests.attribution import tiny
from tests.attribution.curvature.test_fit import DOCUMENTS, dense_gauss_newton


@pytest.fixture(scope="module")
def tracked():
    return track(tiny.tiny_model(dtype=torch.float32))


@pytest.fixture(scope="module")
def fitted(tracked):
    [found] = embedding_eigenbasis(tracked, DOCUMENTS * 400, 0, lambda n: None)
    return found


def dense(Q, lam):
    turn = torch.block_diag(*[Q] * len(lam))
    return turn @ torch.diag(lam.flatten()) @ turn.T


def test_it_is_nearer_to_gauss_newton_than_a_plain_diagonal(tracked, fitted):
    exact = dense_gauss_newton(tracked, len(tracked.layers) - 1)
    error = float((dense(*fitted) - exact).norm() / exact.norm())
    plain = float((torch.diag(exact.diagonal()) - exact).norm() / exact.norm())
    assert error < 0.9 * plain


def test_lambda_is_the_diagonal_of_gauss_newton_in_the_basis(tracked, fitted):
    Q, lam = fitted
    turn = torch.block_diag(*[Q] * len(lam))
    exact = torch.diag(turn.T @ dense_gauss_newton(tracked, len(tracked.layers) - 1) @ turn).view_as(lam)
    assert float(lam.sum() / exact.sum()) == pytest.approx(1, abs=0.1)
    assert torch.corrcoef(torch.stack([lam.flatten(), exact.flatten()]))[0, 1] > 0.98


def test_the_solution_solves_the_dense_system(fitted):
    Q, lam = fitted
    [block] = turned_blocks([fitted], 0.1)
    g = torch.randn(3, *lam.shape)
    G = dense(Q, lam) + block.damping * torch.eye(lam.numel())
    expected = torch.linalg.solve(G.double(), g.flatten(1).double().T).T.view_as(g)
    torch.testing.assert_close(block.solve(g).double(), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_without_a_turn_it_is_the_diagonal_block():
    lam, g = torch.rand(5, 3), torch.randn(5, 3)
    torch.testing.assert_close(TurnedBlock(torch.eye(3), lam, 0.2).solve(g), g / (lam + 0.2))


@pytest.mark.parametrize("kind", ["llama", "llama-untied"])
def test_turned_tokens_give_turned_gradients(kind):
    tracked = track(tiny.tiny_model(kind))
    captured = capture(tracked, pad([Row((0, 1, 2, 5)), Row((0, 3, 4))], [0, 1]))
    Q = torch.linalg.qr(torch.randn(tiny.H, tiny.H, dtype=torch.float64)).Q
    for block in range(len(tracked.embedding)):
        plain = block_gradients(tracked, captured, block, slice(0, tiny.V))
        torch.testing.assert_close(block_gradients(tracked, turned(captured, Q), block, slice(0, tiny.V)), plain @ Q)


def test_the_same_seed_gives_the_same_basis(tracked):
    one, two = (embedding_eigenbasis(tracked, tiny.tiny_documents(9), 3, lambda n: None)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))

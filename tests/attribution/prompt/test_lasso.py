"""The optimality conditions of the lasso, and least squares where there is no penalty."""

import torch

from attribution.prompt.lasso import lasso


def problem():
    generator = torch.Generator().manual_seed(0)
    X = (torch.rand(64, 6, generator=generator) < 0.5).double()
    y = X @ torch.tensor([3.0, 0, 0, -1, 0, 0.2], dtype=torch.float64) + 0.1 * torch.randn(
        64, generator=generator, dtype=torch.float64
    )
    return X, y


def test_optimality():
    X, y = problem()
    alpha = 0.1
    w, b = lasso(X, y, alpha)
    std = X.std(0, correction=0)
    pull = ((X - X.mean(0)) / std).T @ (y - X @ w - b) / len(y)
    active = w != 0
    torch.testing.assert_close(pull[active], alpha * torch.sign(w[active]), atol=1e-8, rtol=0)
    assert bool((pull[~active].abs() <= alpha + 1e-8).all()) and bool((~active).any())
    assert abs(float((y - X @ w - b).mean())) < 1e-10


def test_no_penalty_is_least_squares():
    X, y = problem()
    truth = torch.linalg.lstsq(torch.cat([X, torch.ones(64, 1, dtype=X.dtype)], 1), y).solution
    w, b = lasso(X, y, 0.0)
    torch.testing.assert_close(torch.cat([w, torch.tensor([b], dtype=w.dtype)]), truth)


def test_a_constant_column_and_a_constant_answer_weigh_nothing():
    X, y = problem()
    X[:, 2] = 1
    assert float(lasso(X, y, 0.01)[0][2]) == 0
    w, b = lasso(X, torch.full_like(y, 5.0), 0.01)
    assert not w.any() and b == 5

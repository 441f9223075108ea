"""The optimality conditions of the lasso, and least squares where there is no penalty."""

import numpy as np

from attribution.prompt.context.lasso import lasso


def problem():
    rng = np.random.default_rng(0)
    X = (rng.random((64, 6)) < 0.5).astype(float)
    return X, X @ np.array([3.0, 0, 0, -1, 0, 0.2]) + 0.1 * rng.normal(size=64)


def test_optimality():
    X, y = problem()
    alpha = 0.1
    w, b = lasso(X, y, alpha)
    pull = ((X - X.mean(0)) / X.std(0)).T @ (y - X @ w - b) / len(y)
    active = w != 0
    np.testing.assert_allclose(pull[active], alpha * np.sign(w[active]), atol=1e-8)
    assert (np.abs(pull[~active]) <= alpha + 1e-8).all() and (~active).any()
    assert abs((y - X @ w - b).mean()) < 1e-10


def test_no_penalty_is_least_squares():
    X, y = problem()
    truth, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(64)]), y)
    w, b = lasso(X, y, 0.0)
    np.testing.assert_allclose([*w, b], truth, atol=1e-7)


def test_a_constant_column_and_a_constant_answer_weigh_nothing():
    X, y = problem()
    X[:, 2] = 1
    assert lasso(X, y, 0.01)[0][2] == 0
    w, b = lasso(X, np.full_like(y, 5.0), 0.01)
    assert not w.any() and b == 5

"""The lasso by coordinate descent, over standardised columns: what ContextCite fits.

min over w, b of  1/(2M) |y - b - Z w|² + alpha |w|_1,   Z = (X - mean) / std     Tibshirani 1996; Friedman 2010
one coordinate:   w_n <- soft(z_nᵀ r / M + w_n, alpha)    (the columns of Z have mean square 1)
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def lasso(X: Floats, y: Floats, alpha: float, sweeps: int = 1000, tolerance: float = 1e-10) -> tuple[Floats, float]:
    """Weights [N] and intercept in the units of X: X [M, N], y [M]. Constant columns get weight 0."""
    M, N = X.shape
    mean, std = X.mean(0), X.std(0)
    scale = np.where(std > 0, std, 1.0)
    Z = (X - mean) / scale
    w = np.zeros(N)
    r = y - y.mean()
    for _ in range(sweeps):
        moved = 0.0
        for n in np.flatnonzero(std > 0):
            pull = Z[:, n] @ r / M + w[n]
            new = np.sign(pull) * max(abs(pull) - alpha, 0.0)
            r = r + Z[:, n] * (w[n] - new)
            moved = max(moved, abs(new - w[n]))
            w[n] = new
        if moved < tolerance:
            break
    return w / scale, float(y.mean() - mean @ (w / scale))

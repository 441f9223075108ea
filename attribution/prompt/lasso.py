"""The lasso by coordinate descent, over standardised columns: what ContextCite fits.

min over w, b of  1/(2M) |y - b - Z w|² + alpha |w|_1,   Z = (X - mean) / std     Tibshirani 1996; Friedman 2010
one coordinate:   w_n <- soft(z_nᵀ r / M + w_n, alpha)    (the columns of Z have mean square 1)
"""

import torch
from torch import Tensor


def lasso(X: Tensor, y: Tensor, alpha: float, sweeps: int = 1000, tolerance: float = 1e-10) -> tuple[Tensor, float]:
    """Weights [N] and intercept in the units of X: X [M, N], y [M], float64. Constant columns get weight 0."""
    mean, std = X.mean(0), X.std(0, correction=0)
    varies = std > 0
    Z = torch.where(varies, (X - mean) / torch.where(varies, std, torch.ones_like(std)), torch.zeros_like(X))
    M, N = X.shape
    w = torch.zeros(N, dtype=X.dtype)
    r = y - y.mean()
    for _ in range(sweeps):
        moved = 0.0
        for n in range(N):
            if not varies[n]:
                continue
            pull = Z[:, n] @ r / M + w[n]
            new = torch.sign(pull) * (pull.abs() - alpha).clamp_min(0)
            r = r + Z[:, n] * (w[n] - new)
            moved = max(moved, float((new - w[n]).abs()))
            w[n] = new
        if moved < tolerance:
            break
    scaled = torch.where(varies, w / torch.where(varies, std, torch.ones_like(std)), torch.zeros_like(w))
    return scaled, float(y.mean() - mean @ scaled)

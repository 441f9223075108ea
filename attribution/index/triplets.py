"""The leading singular triplets of a gradient from its tokens, without forming it.

With Δ [T, out] and A [T, in] the gradient is M = Δᵀ A. A left vector is u = Δᵀ x and a right one v = Aᵀ y, with x and y
of T numbers each; `Mᵀ u = Aᵀ (G_Δ x)` and `M v = Δᵀ (G_A y)` with the Gram matrices `G_Δ = Δ Δᵀ`, `G_A = A Aᵀ`. So this
is a subspace iteration on small matrices.
"""

import torch
from torch import Tensor

ROUNDS = 1
JITTER = 1e-6  # of the trace: keeps directions that a short document does not have from being divided by nothing


def thin_svd(gram_out: Tensor, gram_in: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor]:
    """gram_out = Δ Δᵀ, gram_in = A Aᵀ  # [.., T, T] -> X [.., T, r], Y [.., T, r], energy [.., r], largest first

    M ≈ (Δᵀ X)(Aᵀ Y)ᵀ; the columns of Δᵀ X have length 1, those of Aᵀ Y the singular values, whose squares are `energy`.
    """
    T = gram_out.shape[-1]
    X = torch.randn(T, min(rank, T), generator=torch.Generator().manual_seed(0)).to(gram_out)
    for _ in range(ROUNDS):
        Y = unit(gram_out @ X, gram_in)
        X = unit(gram_in @ Y, gram_out)
    Y = gram_out @ X
    energy, turn = torch.linalg.eigh(Y.mT @ gram_in @ Y)  # ascending
    turn = turn.flip(-1)
    return X @ turn, Y @ turn, energy.flip(-1).clamp(min=0)


def unit(X: Tensor, gram: Tensor) -> Tensor:
    """Columns orthonormal in the metric of `gram`, by Cholesky.    X: [.., T, r]   gram: [.., T, T]"""
    inner = X.mT @ gram @ X
    size = inner.diagonal(dim1=-2, dim2=-1).sum(dim=-1)[..., None, None] + torch.finfo(X.dtype).tiny
    eye = torch.eye(inner.shape[-1], dtype=X.dtype, device=X.device)
    L = _cholesky(inner / size, eye)  # inner / size = L Lᵀ
    solved: Tensor = torch.linalg.solve_triangular(L, X.mT / size.sqrt(), upper=False)
    return solved.mT


def _cholesky(inner: Tensor, eye: Tensor) -> Tensor:
    """Of a matrix that rounding may have left a little indefinite, as that of a document that repeats one token: with
    ten times the jitter until it has a factor.    inner: [.., r, r], of trace 1 at most"""
    jitter = JITTER
    L: Tensor
    L, failed = torch.linalg.cholesky_ex(inner + jitter * eye)
    while failed.any() and jitter < 1:
        jitter *= 10
        again, still = torch.linalg.cholesky_ex(inner + jitter * eye)
        L = torch.where((failed != 0)[..., None, None], again, L)
        failed = torch.where(failed != 0, still, failed)
    return L

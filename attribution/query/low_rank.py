"""Query directions at rank r, `P ≈ L Rᵀ`, truncated where documents would not notice (after Grosse et al. 2023).

The error that matters is that of δᵀ P a over documents, not of P itself. In the eigenbasis both δ and a are
uncorrelated, with variances s and a that Λ ≈ s aᵀ tells, so the singular value decomposition is taken of

    D_s^½ (Q_Sᵀ P Q_A) D_a^½ = U Σ Vᵀ,      L = Q_S D_s^-½ U_r Σ_r,      R = Q_A D_a^-½ V_r
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.factors import Factors
from attribution.errors import BadInput
from attribution.query.directions import Directions

FLOOR = 1e-4  # of the largest variance: below it a direction is as good as unused, and must not be divided by
EXTRA, ROUNDS = 8, 2  # of the randomised range finder (Halko et al. 2011)


@dataclass(frozen=True)
class Factored:
    """P ≈ left · rightᵀ."""

    left: Tensor  # [out, r]
    right: Tensor  # [in, r]


def factor(directions: Directions, factors: Factors, rank: int) -> list[list[Factored]]:
    """Every linear block of every query at rank `rank` (or its full rank, where that is less); by layer, by query.

    The embedding stays as it is: its rows are looked up, not multiplied. Raises BadInput for a rank below 1.
    """
    if rank < 1:
        raise BadInput(f"expected a rank of at least 1, found {rank}; change [scores] rank")
    found = []
    for of, basis in zip(directions.linear, factors.linear, strict=True):
        s, a = scales(basis.lam)
        weighted = s[:, None] * of.in_basis(basis) * a  # [K, out, in]
        left, right = truncated(weighted, min(rank, *of.shape))
        left, right = basis.Q_S @ (left / s[:, None]), basis.Q_A @ (right / a[:, None])
        found.append([Factored(*pair) for pair in zip(left, right, strict=True)])
    return found


def scales(lam: Tensor) -> tuple[Tensor, Tensor]:
    """D_s^½ and D_a^½ from the marginals of Λ.    lam: [out, in] -> [out], [in]"""
    s, a = lam.mean(dim=1), lam.mean(dim=0)
    return _root(s), _root(a)


def _root(variances: Tensor) -> Tensor:
    smallest = FLOOR * float(variances.max()) + torch.finfo(variances.dtype).tiny
    return variances.clamp(min=smallest).sqrt()


def truncated(M: Tensor, rank: int, rounds: int = ROUNDS) -> tuple[Tensor, Tensor]:
    """M ≈ left · rightᵀ at `rank`, near the best.    M: [K, out, in] -> [K, out, r], [K, in, r]"""
    n_out, n_in = M.shape[1:]
    width = min(rank + EXTRA, n_out, n_in)
    if n_in < n_out:
        right, left = truncated(M.transpose(1, 2), rank, rounds)
        return left, right
    probe = torch.randn(n_in, width, generator=torch.Generator().manual_seed(0)).to(M)  # the same for every query
    Q = torch.linalg.qr(M @ probe).Q  # [K, out, width]
    for _ in range(rounds):
        Q = torch.linalg.qr(M @ (M.transpose(1, 2) @ Q)).Q
    inside = Q.transpose(1, 2) @ M  # [K, width, in]
    U = torch.linalg.eigh(inside @ inside.transpose(1, 2)).eigenvectors[..., -rank:]  # largest last
    return Q @ U, inside.transpose(1, 2) @ U

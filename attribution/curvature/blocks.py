"""The damped inverse curvature `(G + λI)⁻¹`, block by block: EK-FAC for linear layers, diagonal for the embedding.

EK-FAC (George et al. 2018, arXiv 1806.03884): G ≈ (Q_S ⊗ Q_A) diag(Λ) (Q_S ⊗ Q_A)ᵀ with Λ fitted in that basis.
λ is a share (0.1 by default) of the mean of Λ, for each block its own (Grosse et al. 2023, arXiv 2308.03296).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from attribution.curvature.embedding_eigenbasis import TurnedBlock
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.errors import BadInput
from attribution.model.tracked import Tracked

ROWS = 1024  # of a Fisher that are inverted at once


def to_eigenbasis(g: Tensor, Q_A: Tensor, Q_S: Tensor) -> Tensor:
    """Q_Sᵀ g Q_A    g: [.., out, in]   Q_A: [in, in]   Q_S: [out, out]"""
    return Q_S.T @ (g @ Q_A)


def precondition(g: Tensor, Q_A: Tensor, Q_S: Tensor, lam: Tensor, damping: float) -> Tensor:
    """(G + λI)⁻¹ g = Q_S [(Q_Sᵀ g Q_A) / (Λ + λ)] Q_Aᵀ

    g: [.., out, in]   Q_A: [in, in]   Q_S: [out, out]   lam: [out, in]   damping: scalar, same unit as lam
    """
    return Q_S @ (to_eigenbasis(g, Q_A, Q_S) / (lam + damping)) @ Q_A.T


@dataclass(frozen=True)
class EigenBlock:
    """Inverse of one linear layer's block."""

    basis: Eigenbasis
    damping: float

    def solve(self, g: Tensor) -> Tensor:
        """[.., out, in] -> [.., out, in]"""
        return precondition(g, self.basis.Q_A, self.basis.Q_S, self.basis.lam, self.damping)

    def solve_turned(self, delta: Tensor, a: Tensor) -> Tensor:
        """`Q_Sᵀ P Q_A` with P = (G + λI)⁻¹ Σ_t δ_t a_tᵀ, rotating δ and a, which are thin, instead of the gradient.

        delta: [K, T, out]   a: [T, in]   -> [K, out, in]
        """
        W = (delta @ self.basis.Q_S).transpose(1, 2) @ (a @ self.basis.Q_A)  # [K, out, in]
        return W.div_(self.basis.lam + self.damping)


@dataclass(frozen=True)
class DiagonalBlock:
    """Inverse of an embedding block: P = ∇f / (F + λ), F diagonal (`fit_embedding.py`)."""

    fisher: Tensor  # [V, H]
    damping: float

    def root(self, rows: Tensor | slice) -> Tensor:
        """1 / √(F + λ) of some vocabulary rows: what whitens a gradient  # [.., H]"""
        return (self.fisher[rows] + self.damping).rsqrt_()

    @cached_property
    def mean_inverse(self) -> Tensor:
        """Mean of 1 / (F + λ) over each row  # [V]"""
        return torch.cat([(part + self.damping).reciprocal_().mean(dim=1) for part in self.fisher.split(ROWS)])

    def solve(self, g: Tensor) -> Tensor:
        """[.., V, H] -> [.., V, H]"""
        return g / (self.fisher + self.damping)


@dataclass(frozen=True)
class IdentityBlock:
    """No curvature: influence becomes the inner product of gradients (TracIn, gradient dot)."""

    basis: Eigenbasis | None = None  # in which its directions are to stand, so that they join those of this curvature

    def solve(self, g: Tensor) -> Tensor:
        return g


@dataclass(frozen=True)
class ChainBlock:
    """scale · second⁻¹ first⁻¹ g: what multi-stage influence asks of the query."""

    first: "Block"
    second: "Block"
    scale: float

    def solve(self, g: Tensor) -> Tensor:
        return self.solve_pulled(g)[0]

    def solve_pulled(self, g: Tensor) -> tuple[Tensor, Tensor]:
        """P, and `second` P: the gradient that the documents' own stage would have to be asked with for this P."""
        pulled = self.scale * self.first.solve(g)
        return self.second.solve(pulled), pulled


Block = EigenBlock | DiagonalBlock | IdentityBlock | ChainBlock | TurnedBlock


Inverse = TypeVar("Inverse", EigenBlock, DiagonalBlock)


def _fitted(block: Block, kind: type[Inverse]) -> Inverse:
    if not isinstance(block, kind):
        raise BadInput(f"expected fitted curvature for the gradients of documents, found {type(block).__name__}")
    return block


@dataclass(frozen=True)
class Preconditioner:
    """One block for each layer of `tracked.layers`."""

    blocks: tuple[Block, ...]

    def linear(self, tracked: Tracked) -> tuple[Block, ...]:
        return self.blocks[: len(tracked.linear)]

    def eigen(self, tracked: Tracked) -> tuple[EigenBlock, ...]:
        """The linear blocks; raises BadInput where they are not fitted curvature."""
        return tuple(_fitted(block, EigenBlock) for block in self.linear(tracked))

    def diagonal(self, tracked: Tracked) -> tuple[DiagonalBlock, ...]:
        """The embedding blocks; raises BadInput where they are not fitted curvature."""
        return tuple(_fitted(block, DiagonalBlock) for block in self.embedding(tracked))

    def fitted(self, tracked: Tracked) -> tuple[EigenBlock | DiagonalBlock, ...]:
        return self.eigen(tracked) + self.diagonal(tracked)

    def embedding(self, tracked: Tracked) -> tuple[Block, ...]:
        return self.blocks[len(tracked.linear) :]


def damp(
    factors: Factors, damping: float = 0.1, absolute: float | None = None, of: Factors | None = None
) -> Preconditioner:
    """The inverse with λ = damping · mean(Λ) for each block, or λ = absolute for all. A block that no document of the
    fit passed, an expert's, has the mean λ of the others: it is not known to be free.

    of: the curvature whose mean eigenvalues these are; None: its own.

    Raises BadInput for a damping that is not positive: the inverse would not exist.
    """
    if not (damping if absolute is None else absolute) > 0:
        raise BadInput(f"expected a positive damping, found {damping if absolute is None else absolute}")
    blocks: list[Block] = []
    of = of or factors
    means = [float(basis.lam.mean()) for basis in of.linear]
    reached = [mean for mean in means if mean > 0] or [0.0]
    elsewhere = sum(reached) / len(reached)
    for basis, mean in zip(factors.linear, means, strict=True):
        blocks.append(EigenBlock(basis, (mean or elsewhere) * damping if absolute is None else absolute))
    for fisher, told in zip(factors.embedding, of.embedding, strict=True):
        blocks.append(DiagonalBlock(fisher, float(told.mean()) * damping if absolute is None else absolute))
    return Preconditioner(tuple(blocks))


def same_inputs(tracked: Tracked, blocks: Sequence[EigenBlock]) -> list[bool]:
    """Of each linear layer, whether its inputs in the eigenbasis are those of the layer before.

    Both read the same, so they have one covariance and one basis of it; where an older fit left two (each layer was
    fitted by itself, and not every device adds up in the same order), each has its own.
    """
    before = (None, *blocks)
    return [
        layer.reads_on and other is not None and _same(other.basis.Q_A, block.basis.Q_A)
        for layer, block, other in zip(tracked.linear, blocks, before, strict=False)
    ]


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other or torch.equal(one, other)


def weighted(of: Preconditioner, tracked: Tracked, linear: float) -> Preconditioner:
    """`linear` times the inverse of the linear blocks, as that of a curvature 1 / `linear` as large.

    Each block answers for an error as if the others did not, so many blocks together answer for too much of it.
    At 1 it is `of` itself. Raises BadInput for a weight that is not positive, and, for another than 1, where linear
    blocks are not fitted curvature.
    """
    if not linear > 0:
        raise BadInput(f"expected a positive weight of the linear layers, found {linear}")
    if linear == 1:
        return of
    blocks = [
        EigenBlock(replace(block.basis, lam=block.basis.lam / linear), block.damping / linear)
        for block in of.eigen(tracked)
    ]
    return Preconditioner((*blocks, *of.embedding(tracked)))


def no_curvature(tracked: Tracked, beside: Preconditioner | None = None) -> Preconditioner:
    """(G + λI)⁻¹ replaced by I, for the estimators that leave curvature out.

    beside: in whose eigenbases the same directions stand, which are orthonormal: one pass over documents serves both.
    """
    if beside is None:
        return Preconditioner((IdentityBlock(),) * len(tracked.layers))
    linear = [IdentityBlock(of.basis if isinstance(of, EigenBlock) else None) for of in beside.linear(tracked)]
    return Preconditioner((*linear, *(IdentityBlock() for _ in tracked.embedding)))

"""Curvature of the embedding and the head in an eigenbasis: what EK-FAC is to a linear layer, without the vocabulary's
covariance, which would be vocabulary × vocabulary.

    G ≈ (I ⊗ Q) diag(Λ) (I ⊗ Q)ᵀ,   Q: eigenvectors of  E Σ_v W_v W_vᵀ  over the rows v of document gradients W
    Λ[v, k] = E over documents of (∇L Q)[v, k]²,   labels sampled from the model

The numbers of one row are correlated, as hidden states are: a diagonal in plain coordinates (`fit_embedding.py`)
takes them for independent. Eigenvalues are corrected as in George et al. 2018 (arXiv 1806.03884).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture
from attribution.passes.embedding import block_gradients


@dataclass(frozen=True)
class TurnedBlock:
    """Inverse of an embedding block: P = [(∇f Q) / (Λ + λ)] Qᵀ."""

    Q: Tensor  # [H, H]
    lam: Tensor  # [V, H]
    damping: float

    def solve(self, g: Tensor) -> Tensor:
        """[.., V, H] -> [.., V, H]"""
        return ((g @ self.Q) / (self.lam + self.damping)) @ self.Q.T


def embedding_eigenbasis(
    tracked: Tracked, documents: Sequence[Row], seed: int, tick: Callable[[int], None]
) -> tuple[tuple[Tensor, Tensor], ...]:
    """(Q, Λ) of each block of `tracked.embedding`; two passes over the documents, the same labels in both."""
    bases = [torch.linalg.eigh(C).eigenvectors for C in _covariances(tracked, documents, seed, tick)]
    lams = [tracked.zeros(block.n_out, block.n_in) for block in tracked.embedding]
    for captured in _passes(tracked, documents, seed, tick):
        for i, (Q, lam) in enumerate(zip(bases, lams, strict=True)):
            for rows in _slices(tracked, captured, i):
                lam[rows] += block_gradients(tracked, turned(captured, Q), i, rows).square_().sum(dim=0)
    return tuple((Q, lam / len(documents)) for Q, lam in zip(bases, lams, strict=True))


def turned(captured: Captured, Q: Tensor) -> Captured:
    """The same pass, its embedding gradients in the basis Q: turning the tokens is cheaper than turning W."""
    return replace(captured, hidden=captured.hidden @ Q, embedded_deltas=captured.embedded_deltas @ Q)


def turned_blocks(bases: Sequence[tuple[Tensor, Tensor]], damping: float) -> tuple[TurnedBlock, ...]:
    """λ = damping · mean(Λ) of each block."""
    return tuple(TurnedBlock(Q, lam, float(lam.mean()) * damping) for Q, lam in bases)


def _covariances(tracked: Tracked, documents: Sequence[Row], seed: int, tick: Callable[[int], None]) -> list[Tensor]:
    found = [tracked.zeros(block.n_in, block.n_in) for block in tracked.embedding]
    for captured in _passes(tracked, documents, seed, tick):
        for i, C in enumerate(found):
            for rows in _slices(tracked, captured, i):
                W = block_gradients(tracked, captured, i, rows).flatten(0, 1)  # [B · R, H]
                C.addmm_(W.T, W)
    return found


def _passes(tracked: Tracked, documents: Sequence[Row], seed: int, tick: Callable[[int], None]) -> Iterator[Captured]:
    generator = torch.Generator(tracked.device).manual_seed(seed)
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        yield capture(tracked, batch, generator)
        tick(len(batch.members))


def _slices(tracked: Tracked, captured: Captured, i: int) -> Iterator[slice]:
    block = tracked.embedding[i]
    step = max(1, tracked.schedule.cached // (len(captured.batch.members) * block.n_in))
    for start in range(0, block.n_out, step):
        yield slice(start, min(start + step, block.n_out))

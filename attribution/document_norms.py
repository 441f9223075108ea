"""One number for each document, of every kind that a normaliser or a list of odd documents needs.

In the eigenbasis W = Q_Sᵀ ∇L Q_A the three norms are weighted sums of the same squares (rotations keep lengths):
    ‖∇L‖² = Σ W²      ∇Lᵀ (G + λI)⁻¹ ∇L = Σ W² / (Λ + λ)      ‖(G + λI)⁻¹ ∇L‖² = Σ W² / (Λ + λ)²
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.batches import Document, batches
from attribution.capture import Captured, capture
from attribution.embedding import block_gradients
from attribution.influence import self_influence, solve_norm
from attribution.preconditioner import DiagonalBlock, EigenBlock, Preconditioner
from attribution.tracked import Tracked
from attribution.turned import turned

CACHED = 2**18  # numbers of a gradient slice that stay in the cache

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class DocumentNorms:
    """Of D documents; NaN where one was skipped because its gradient is not finite."""

    loss: Numbers  # [D] summed token loss, nats
    grad_norm: Numbers  # [D] ‖∇L‖, nats
    self_influence: Numbers  # [D] nats: fall of the document's own loss if it were seen once more
    solve_norm: Numbers  # [D] length of the parameter step of seeing it once more
    skipped: tuple[int, ...]


def document_norms(
    tracked: Tracked,
    preconditioner: Preconditioner,
    documents: Sequence[Document],
    n_train: int,
    *,
    tick: Callable[[int], None] | None = None,
) -> DocumentNorms:
    """One pass over the documents; `n_train`: N of the corpus; `tick(n)` after n documents.

    Raises BadInput for a document that is empty or longer than the context.
    """
    weights = [spectrum(block) for block in preconditioner.fitted(tracked)]
    table = np.full((len(documents), 4), np.nan, dtype=np.float64)
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        captured = capture(tracked, batch)
        sums = batch_norms(tracked, preconditioner, weights, captured)  # [B, 3]
        table[list(batch.members)] = torch.cat([captured.loss[:, None], sums], dim=1).double().cpu().numpy()
        if tick is not None:
            tick(len(batch.members))
    bad = ~np.isfinite(table).all(axis=1)
    table[bad] = np.nan
    return DocumentNorms(
        loss=table[:, 0].astype(np.float32),
        grad_norm=np.sqrt(table[:, 1]).astype(np.float32),
        self_influence=self_influence(table[:, 2], n_train).astype(np.float32),
        solve_norm=solve_norm(np.sqrt(table[:, 3]), n_train).astype(np.float32),
        skipped=tuple(np.flatnonzero(bad).tolist()),
    )


def spectrum(block: EigenBlock | DiagonalBlock) -> tuple[Tensor, Tensor]:
    """Weights of the squares besides 1: 1 / (Λ + λ) and 1 / (Λ + λ)²  # [n] each"""
    eigenvalues = block.basis.lam if isinstance(block, EigenBlock) else block.fisher
    inverse = 1 / (eigenvalues + block.damping).flatten()
    return inverse, inverse**2


def batch_norms(
    tracked: Tracked, preconditioner: Preconditioner, weights: Sequence[tuple[Tensor, Tensor]], captured: Captured
) -> Tensor:
    """The three weighted sums of squares, over all blocks  # [B, 3]"""
    total = tracked.zeros(3, len(captured.batch.members))
    for (deltas, inputs), weight in zip(turned(captured, preconditioner.eigen(tracked)), weights, strict=False):
        _add_layer(total, deltas, inputs, weight)
    for i, weight in enumerate(weights[len(tracked.linear) :]):
        layer = tracked.embedding[i]
        step = max(1, CACHED // (total.shape[1] * layer.n_in))
        for start in range(0, layer.n_out, step):
            rows = slice(start, min(start + step, layer.n_out))
            gradients = block_gradients(tracked, captured, i, rows).flatten(1)
            _add_squares(total, gradients, weight, start * layer.n_in)
    return total.T


def _add_layer(total: Tensor, deltas: Tensor, inputs: Tensor, weight: tuple[Tensor, Tensor]) -> None:
    """deltas: [B, T, out], inputs: [B, T, in] in the eigenbasis   weight: [out · in] each"""
    n_documents, n_in = len(deltas), inputs.shape[2]
    step = max(1, CACHED // (n_documents * n_in))
    left = deltas.transpose(1, 2)
    for start in range(0, left.shape[1], step):
        gradients = (left[:, start : start + step] @ inputs).flatten(1)  # [B, step · in]
        _add_squares(total, gradients, weight, start * n_in)


def _add_squares(total: Tensor, gradients: Tensor, weight: tuple[Tensor, Tensor], start: int) -> None:
    """total: [3, B]   gradients: [B, n], overwritten, of the parameters from `start` on"""
    squares = gradients.square_()
    stop = start + squares.shape[1]
    total[0] += squares.sum(dim=1)
    for row, of in zip(total[1:], weight, strict=True):
        row.addmv_(squares, of[start:stop])  # three vectors: a matrix of three columns takes five times as long

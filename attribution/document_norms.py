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
from attribution.errors import BadInput
from attribution.influence import self_influence, solve_norm
from attribution.preconditioner import Block, DiagonalBlock, EigenBlock, Preconditioner
from attribution.tracked import Tracked

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
    weights = [spectrum(block) for block in preconditioner.blocks]
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


def spectrum(block: Block) -> Tensor:
    """Weights of the squares: 1, 1 / (Λ + λ), 1 / (Λ + λ)²  # [n, 3]"""
    match block:
        case EigenBlock():
            inverse = 1 / (block.basis.lam + block.damping)
        case DiagonalBlock():
            inverse = 1 / (block.fisher + block.damping)
        case _:
            raise BadInput(f"expected fitted curvature for norms of documents, found {type(block).__name__}")
    flat = inverse.flatten()
    return torch.stack([torch.ones_like(flat), flat, flat**2], dim=1)


def batch_norms(
    tracked: Tracked, preconditioner: Preconditioner, weights: Sequence[Tensor], captured: Captured
) -> Tensor:
    """The three weighted sums of squares, over all blocks  # [B, 3]"""
    total = tracked.zeros(len(captured.batch.members), 3)
    linear = preconditioner.linear(tracked)
    for block, weight, delta, a in zip(linear, weights, captured.deltas, captured.inputs, strict=False):
        if isinstance(block, EigenBlock):
            _add_squares(total, delta @ block.basis.Q_S, a @ block.basis.Q_A, weight)
    for i, weight in enumerate(weights[len(linear) :]):
        layer = tracked.embedding[i]
        step = max(1, CACHED // (len(total) * layer.n_in))
        for rows in torch.arange(layer.n_out, device=tracked.device).split(step):
            squares = block_gradients(tracked, captured, i, rows).square_().flatten(1)
            part = slice(int(rows[0]) * layer.n_in, (int(rows[-1]) + 1) * layer.n_in)
            total.addmm_(squares, weight[part])
    return total


def _add_squares(total: Tensor, deltas: Tensor, inputs: Tensor, weight: Tensor) -> None:
    """deltas: [B, T, out], inputs: [B, T, in] in the eigenbasis   weight: [out · in, 3]"""
    n_documents, n_in = len(deltas), inputs.shape[2]
    step = max(1, CACHED // (n_documents * n_in))
    left = deltas.transpose(1, 2)
    for start in range(0, left.shape[1], step):
        squares = (left[:, start : start + step] @ inputs).square_().flatten(1)  # [B, step · in]
        total.addmm_(squares, weight[start * n_in : start * n_in + squares.shape[1]])

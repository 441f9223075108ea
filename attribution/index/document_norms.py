"""One number for each document, of every kind that a normaliser or a list of odd documents needs.

In the eigenbasis W = Q_Sᵀ ∇L Q_A the three norms are weighted sums of the same squares (rotations keep lengths):
    ‖∇L‖² = Σ W²      ∇Lᵀ (G + λI)⁻¹ ∇L = Σ W² / (Λ + λ)      ‖(G + λI)⁻¹ ∇L‖² = Σ W² / (Λ + λ)²
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock, EigenBlock
from attribution.influence import self_influence, solve_norm
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured
from attribution.passes.embedding import block_gradients

CACHED = 2**19  # numbers of gradients that stay in the cache
ROWS = 2**18  # the same of a slice that is allocated anew

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class DocumentNorms:
    """Of D documents; NaN where one was skipped because its gradient is not finite."""

    loss: Numbers  # [D] summed token loss, nats
    grad_norm: Numbers  # [D] ‖∇L‖, nats
    self_influence: Numbers  # [D] nats: fall of the document's own loss if it were seen once more
    solve_norm: Numbers  # [D] length of the parameter step of seeing it once more
    skipped: tuple[int, ...]


def gathered(table: NDArray[np.float64], n_train: int) -> DocumentNorms:
    """From the loss and the three sums of squares of every document.    table: [D, 4], NaN or infinite where skipped"""
    table = np.where(np.isfinite(table).all(axis=1, keepdims=True), table, np.nan)
    return DocumentNorms(
        loss=table[:, 0].astype(np.float32),
        grad_norm=np.sqrt(table[:, 1]).astype(np.float32),
        self_influence=self_influence(table[:, 2], n_train).astype(np.float32),
        solve_norm=solve_norm(np.sqrt(table[:, 3]), n_train).astype(np.float32),
        skipped=tuple(np.flatnonzero(np.isnan(table[:, 0])).tolist()),
    )


def spectrum(block: EigenBlock | DiagonalBlock) -> tuple[Tensor, Tensor]:
    """Weights of the squares besides 1: 1 / (Λ + λ) and 1 / (Λ + λ)²  # [n] each"""
    eigenvalues = block.basis.lam if isinstance(block, EigenBlock) else block.fisher
    inverse = 1 / (eigenvalues + block.damping).flatten()
    return inverse, inverse**2


def batch_norms(
    tracked: Tracked,
    weights: Sequence[tuple[Tensor, Tensor]],
    captured: Captured,
    tokens: Sequence[tuple[Tensor, Tensor]],
) -> Tensor:
    """The three weighted sums of squares, over all blocks  # [B, 3]

    weights: `spectrum` of every block.   tokens: the pass turned into the eigenbasis (`turned.turned`).
    """
    total = tracked.zeros(3, len(captured.batch.members))
    for (deltas, inputs), weight in zip(tokens, weights, strict=False):
        _add_layer(total, deltas, inputs, weight)
    for i, weight in enumerate(weights[len(tracked.linear) :]):
        layer = tracked.embedding[i]
        step = max(1, ROWS // (total.shape[1] * layer.n_in))
        for start in range(0, layer.n_out, step):
            rows = slice(start, min(start + step, layer.n_out))
            gradients = block_gradients(tracked, captured, i, rows).flatten(1)
            _add_squares(total, gradients, weight, start * layer.n_in)
    return total.T


def _add_layer(total: Tensor, deltas: Tensor, inputs: Tensor, weight: tuple[Tensor, Tensor]) -> None:
    """total: [3, B]   deltas: [B, T, out], inputs: [B, T, in] in the eigenbasis   weight: [out · in] each

    As many documents at once as the cache holds: few, but all rows of their gradients, which is a larger product.
    """
    n_documents, n_out, n_in = len(deltas), deltas.shape[2], inputs.shape[2]
    step = min(n_documents, max(1, CACHED // (n_out * n_in)))
    gradients = deltas.new_empty(step, n_out, n_in)
    for start in range(0, n_documents, step):
        some = slice(start, min(start + step, n_documents))
        mine = gradients[: some.stop - start]
        torch.bmm(deltas[some].transpose(1, 2), inputs[some], out=mine)
        _add_squares(total[:, some], mine.flatten(1), weight, 0)


def _add_squares(total: Tensor, gradients: Tensor, weight: tuple[Tensor, Tensor], start: int) -> None:
    """total: [3, B]   gradients: [B, n], overwritten, of the parameters from `start` on"""
    squares = gradients.square_()
    stop = start + squares.shape[1]
    total[0] += squares.sum(dim=1)
    for row, of in zip(total[1:], weight, strict=True):
        row.addmv_(squares, of[start:stop])  # three vectors: a matrix of three columns takes five times as long

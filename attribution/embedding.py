"""Gradients of the embedding and of the head, by vocabulary row.

Looked-up rows: `G[x_s] += δ_s`. Head: `G = Σ_t δlogits_t h_tᵀ`. A tied matrix has the sum of both. Rows with neither
input nor probability are almost zero, so a block can be restricted to the rows that matter.
"""

import torch
from torch import Tensor

from attribution.capture import Captured
from attribution.tracked import Tracked


def places(rows: Tensor, n_rows: int) -> Tensor:
    """Where each vocabulary id stands in `rows`, −1 where it does not  # [V]"""
    where = torch.full((n_rows,), -1, dtype=torch.long, device=rows.device)
    where[rows] = torch.arange(len(rows), device=rows.device)
    return where


def add_looked_up(gradients: Tensor, ids: Tensor, deltas: Tensor, where: Tensor, scale: float) -> None:
    """G[b, place of x_s] += scale · δ_s, in place.    gradients: [B, R, H]  ids: [B, T]  deltas: [B, T, H]"""
    n, width = gradients.shape[1:]
    at = where[ids]  # [B, T]
    known = at >= 0
    flat = at + n * torch.arange(len(ids), device=ids.device)[:, None]
    gradients.view(-1, width).index_add_(0, flat[known], deltas[known], alpha=scale)


def block_gradients(tracked: Tracked, captured: Captured, block: int, rows: Tensor) -> Tensor:
    """Gradients of every document of the pass, rows of one embedding block only.    -> [B, R, H]

    block: 0 is the embedding (with the head when tied), 1 the untied head.
    """
    ids = captured.batch.ids
    width = tracked.embedding[block].n_in
    if tracked.tied or block == 1:
        gradients = captured.padded_logit_deltas(rows).transpose(1, 2) @ captured.hidden  # [B, R, H]
    else:
        gradients = captured.hidden.new_zeros(len(ids), len(rows), width)
    if block == 0:
        where = places(rows, tracked.embedding[0].n_out)
        add_looked_up(gradients, ids, captured.embedded_deltas, where, tracked.embedding_scale)
    return gradients

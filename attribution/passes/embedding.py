"""Gradients of the embedding and of the head, by vocabulary row.

Looked-up rows: `G[x_s] += δ_s`. Head: `G = Σ_t δlogits_t h_tᵀ`. A tied matrix has the sum of both. Rows with neither
input nor probability are almost zero, so a block can be restricted to the rows that matter.
"""

import torch
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured

Rows = Tensor | slice  # vocabulary ids, or a range of them with start and stop


def places(ids: Tensor, rows: Rows, n_rows: int) -> Tensor:
    """Where each id stands in `rows`, −1 where it does not.    ids: any shape; n_rows: of the whole vocabulary"""
    if isinstance(rows, slice):
        return torch.where((ids >= rows.start) & (ids < rows.stop), ids - rows.start, -1)
    where = torch.full((n_rows,), -1, dtype=torch.long, device=rows.device)
    where[rows] = torch.arange(len(rows), device=rows.device)
    return where[ids]


def add_looked_up(gradients: Tensor, at: Tensor, deltas: Tensor, scale: float) -> None:
    """G[b, at_s] += scale · δ_s, in place.    gradients: [B, R, H]   at: [B, T], −1 for nowhere   deltas: [B, T, H]"""
    n, width = gradients.shape[1:]
    flat = at + n * torch.arange(len(at), device=at.device)[:, None]
    gradients.view(-1, width).index_add_(0, flat[at >= 0], deltas[at >= 0], alpha=scale)


def block_gradients(tracked: Tracked, captured: Captured, block: int, rows: Rows) -> Tensor:
    """Gradients of every document of the pass, rows of one embedding block only.    -> [B, R, H]

    block: 0 is the embedding (with the head when tied), 1 the untied head.
    """
    ids, layer = captured.batch.ids, tracked.embedding[block]
    if tracked.tied or block == 1:
        gradients = captured.padded_logit_deltas(rows).transpose(1, 2) @ captured.hidden  # [B, R, H]
    else:
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        gradients = tracked.zeros(len(ids), n_rows, layer.n_in)
    if block == 0:
        at = places(ids, rows, layer.n_out)
        add_looked_up(gradients, at, captured.embedded_deltas, tracked.embedding_scale)
    return gradients

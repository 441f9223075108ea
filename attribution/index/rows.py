"""The rows of an embedding block that hold most of a document's gradient: those of its own tokens, and of the tokens
that the model thought likely in their place.
"""

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured
from attribution.schedule import Schedule

OTHERS = 24  # rows of tokens that are not in the document


def document_rows(tracked: Tracked, captured: Captured, block: int, curvature: DiagonalBlock) -> tuple[Tensor, Tensor]:
    """Vocabulary ids [B, M] and whitened rows of the gradient `G[id] / √(F + λ)` [B, M, H], each id once.

    block: of `tracked.embedding`. A place that stands for no row (padding, a repeated token) is zero.
    """
    own, own_rows = captured.batch.ids, rows_of_tokens(tracked, captured, block)
    if block == 0 and not tracked.tied:
        return own, own_rows * curvature.root(own)
    others, is_other = _likely(captured, curvature, tracked.schedule)
    ids = torch.cat([own, others], dim=1)
    rows = torch.cat([own_rows, _rows(tracked, captured, block, others) * is_other[..., None]], dim=1)
    return ids, rows * curvature.root(ids)


def rows_of_tokens(tracked: Tracked, captured: Captured, block: int) -> Tensor:
    """G[id] of the ids of each document's tokens, of a repeated one where it stands first  # [B, T, H]"""
    ids, is_token = captured.batch.ids, captured.batch.is_token
    return _rows(tracked, captured, block, ids) * (is_token & ~_repeated(ids, is_token))[..., None]


def _rows(tracked: Tracked, captured: Captured, block: int, ids: Tensor) -> Tensor:
    """G[id] for ids of each document    ids: [B, M] -> [B, M, H]"""
    batch = captured.batch
    rows = tracked.zeros(*ids.shape, captured.hidden.shape[2])
    if tracked.tied or block == 1:
        of = batch.is_target.nonzero()[:, 0]  # [n] the document of each target
        deltas = tracked.zeros(*batch.ids.shape, ids.shape[1])  # [B, T, M]
        deltas[batch.is_target] = captured.logit_deltas.gather(1, ids[of])
        rows += deltas.mT @ captured.hidden
    if block == 0:
        same = (ids[:, :, None] == batch.ids[:, None]).to(rows.dtype)  # [B, M, T]
        rows += tracked.embedding_scale * (same @ captured.embedded_deltas)
    return rows


def _repeated(ids: Tensor, is_token: Tensor) -> Tensor:
    """Whether a token of the same id stands further left; between windows there is padding    [B, T] -> bool [B, T]"""
    return ((ids[:, :, None] == ids[:, None]) & is_token[:, None]).tril(-1).any(dim=2)


def _likely(captured: Captured, curvature: DiagonalBlock, schedule: Schedule) -> tuple[Tensor, Tensor]:
    """The other ids of most whitened energy, about `Σ_t (p_t[v] ‖h_t‖)² · mean 1 / (F + λ)`, and which really are
    others (a small vocabulary may have too few)    -> [B, OTHERS] each"""
    batch, ids, n_rows = captured.batch, captured.batch.ids, len(curvature.fisher)
    size = captured.hidden.square().sum(dim=2)[:, None]  # [B, 1, T]
    energy = captured.hidden.new_empty(len(ids), n_rows)  # [B, V]
    step = max(1, schedule.cached // ids.numel())
    for start in range(0, n_rows, step):
        rows = slice(start, min(start + step, n_rows))
        found = (size @ captured.padded_logit_deltas(rows).square_())[:, 0]  # [B, R]
        torch.mul(found, curvature.mean_inverse[rows], out=energy[:, rows])
    own = torch.where(batch.is_token, ids, ids[:, :1])  # padding is an id too, which the document may not have
    likely = energy.scatter_(1, own, -1.0).topk(min(OTHERS, n_rows), dim=1)
    return likely.indices, likely.values >= 0

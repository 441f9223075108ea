"""The rows of an embedding block that hold most of a document's gradient: those of its own tokens, and of the tokens
that the model thought likely in their place.
"""

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured

OTHERS = 24  # rows of tokens that are not in the document


def document_rows(tracked: Tracked, captured: Captured, block: int, curvature: DiagonalBlock) -> tuple[Tensor, Tensor]:
    """Vocabulary ids [B, M] and whitened rows of the gradient `G[id] / √(F + λ)` [B, M, H], each id once.

    block: of `tracked.embedding`. A place that stands for no row (padding, a repeated token) is zero.
    """
    batch = captured.batch
    own = batch.ids
    own_rows = _rows(tracked, captured, block, own) * (batch.is_token & ~_repeated(own))[..., None]
    if block == 0 and not tracked.tied:
        return own, own_rows * curvature.root[own]
    others, is_other = _likely(captured, curvature)
    ids = torch.cat([own, others], dim=1)
    rows = torch.cat([own_rows, _rows(tracked, captured, block, others) * is_other[..., None]], dim=1)
    return ids, rows * curvature.root[ids]


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


def _repeated(ids: Tensor) -> Tensor:
    """Whether the same id stands further left    [B, T] -> bool [B, T]"""
    return (ids[:, :, None] == ids[:, None]).tril(-1).any(dim=2)


def _likely(captured: Captured, curvature: DiagonalBlock) -> tuple[Tensor, Tensor]:
    """The other ids of most whitened energy, about `Σ_t (p_t[v] ‖h_t‖)² · mean 1 / (F + λ)`, and which really are
    others (a small vocabulary may have too few)    -> [B, OTHERS] each"""
    is_target, ids = captured.batch.is_target, captured.batch.ids
    size = captured.hidden[is_target].square().sum(dim=1, keepdim=True)  # [n, 1]
    energy = captured.hidden.new_zeros(len(ids), captured.logit_deltas.shape[1])  # [B, V]
    energy.index_add_(0, is_target.nonzero()[:, 0], captured.logit_deltas.square() * size)
    energy *= curvature.root.square().mean(dim=1)
    own = torch.where(captured.batch.is_token, ids, ids[:, :1])  # padding is an id too, which the document may not have
    found = energy.scatter_(1, own, -1.0).topk(min(OTHERS, energy.shape[1]), dim=1)
    return found.indices, found.values >= 0

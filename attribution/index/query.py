"""Queries as the scan of a gradient index needs them: factored as documents are, in bytes as well.

P ≈ L Rᵀ in the eigenbasis, in the scaling in which ⟨P, ∇L⟩ is the inner product with what is kept of ∇L. Pairs of
vectors are spread over the layers by their energy, as a document's are: an even share would cut the layers that carry a
query and read on in those that do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, EigenBlock, Preconditioner, to_eigenbasis
from attribution.index.compress import quantised
from attribution.index.metric import Metric
from attribution.model.tracked import Tracked
from attribution.query.low_rank import truncated
from attribution.query.passes import QueryPass, query_passes
from attribution.query.solve import embedding_blocks
from attribution.query.vocabulary_rows import RowBlock

RANK = 8  # pairs of vectors of a query in a layer that are looked at
PAIRS = 1  # that are kept, a layer on average
COLUMNS = 16  # a product of bytes takes no less time with fewer, and more with a number in between
ROUGH = 1e-3  # ε of the vocabulary rows that are left out: more than that is lost in the bytes
ROUNDS = 1  # of its truncation: the numbers become bytes anyway


@dataclass(frozen=True)
class LayerQuery:
    """M pairs of vectors of one layer, which are those of K queries."""

    left: Tensor  # int8 [out, M], or float32 [V, M] in an embedding block
    right: Tensor  # int8 [in, M]
    mix: Tensor  # float32 [M, K]: the scale of each pair, at its query


def index_queries(
    tracked: Tracked,
    preconditioner: Preconditioner,
    metrics: Sequence[Metric],
    indexed: Preconditioner,
    ids: Sequence[int],
    first: int,
    *,
    measurement: str = "logp",
    foils: Sequence[int] | None = None,
    rank: int = RANK,
    pairs: float = PAIRS,
) -> list[LayerQuery]:
    """One query for each token of `ids[first:]`, by layer of `tracked.layers`.

    preconditioner: what the query is solved with.   metrics, indexed: the scales and the curvature of the index, which
    for documents of an earlier stage of training are those of that stage.
    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    passes = query_passes(tracked, ids, first, measurement=measurement, foils=foils)
    chunks = [_layers(tracked, preconditioner, metrics, indexed, of, rank, pairs) for of in passes]
    return [_joined(of) for of in zip(*chunks, strict=True)]


def _layers(
    tracked: Tracked,
    preconditioner: Preconditioner,
    metrics: Sequence[Metric],
    indexed: Preconditioner,
    of: QueryPass,
    rank: int,
    pairs: float,
) -> list[LayerQuery]:
    linear, rows = [], []
    solvers = zip(preconditioner.linear(tracked), indexed.eigen(tracked), metrics, strict=True)
    for delta, a, (block, basis, metric) in zip(of.deltas, of.run.inputs, solvers, strict=True):
        scaled = metric.scaled_direction(solved(block, basis, delta, a[0]))  # [K, out', in']
        linear.append(truncated(scaled, min(rank, *scaled.shape[1:]), ROUNDS))
    blocks = embedding_blocks(tracked, preconditioner, of, ROUGH)
    for diagonal, (directions, _) in zip(indexed.diagonal(tracked), blocks, strict=True):
        whitened = directions.values / diagonal.root(directions.rows)  # [K, R, H]
        rows.append((directions, *truncated(whitened, min(rank, *whitened.shape[1:]), ROUNDS)))
    kept = spread([*linear, *((left, right) for _, left, right in rows)], pairs)
    found = [layer_query(*of, mask) for of, mask in zip(linear, kept, strict=False)]
    for layer, of_rows, mask in zip(tracked.embedding, rows, kept[len(linear) :], strict=True):
        found.append(row_query(layer.n_out, *of_rows, mask))
    return found


def spread(factors: Sequence[tuple[Tensor, Tensor]], pairs: float) -> list[Tensor]:
    """Which pairs of each query are kept: those of most energy, `pairs` a layer on average, and what fills the COLUMNS.

    factors: of each layer, left [K, out, r] and right [K, in, r].   -> bool [K, r] each
    """
    energy = [left.square().sum(dim=1) * right.square().sum(dim=1) for left, right in factors]
    flat, sizes = torch.cat(energy, dim=1), [of.shape[1] for of in energy]  # [K, Σ r]
    best = flat.topk(min(round(pairs * len(factors)), flat.shape[1]), dim=1).indices
    kept = torch.zeros_like(flat, dtype=torch.bool).scatter_(1, best, torch.ones_like(best, dtype=torch.bool))
    flat = flat / flat.sum(dim=1, keepdim=True).clamp(min=torch.finfo(flat.dtype).tiny)  # of each query, its share
    return [_filled(*of) for of in zip(kept.split(sizes, dim=1), flat.split(sizes, dim=1), strict=True)]


def _filled(kept: Tensor, share: Tensor) -> Tensor:
    """With the next pairs of the layer, up to a whole number of COLUMNS: these cost nothing.    [K, r] both"""
    room = -int(kept.sum()) % COLUMNS
    next_best = share.masked_fill(kept, -1.0).flatten().topk(min(room, int((~kept).sum()))).indices
    return kept.flatten().index_fill(0, next_best, True).view_as(kept)


def solved(block: Block, basis: EigenBlock, delta: Tensor, a: Tensor) -> Tensor:
    """`Q_Sᵀ P Q_A` with P = (G + λI)⁻¹ Σ_t δ_t a_tᵀ    delta: [K, T, out]   a: [T, in]   -> [K, out, in]"""
    if _same(block, basis):
        return basis.solve_turned(delta, a)
    g = delta.transpose(1, 2) @ a
    if isinstance(block, ChainBlock) and _same(block.second, basis):
        near = to_eigenbasis(block.first.solve(g), basis.basis.Q_A, basis.basis.Q_S)
        return block.scale * near / (basis.basis.lam + basis.damping)
    return to_eigenbasis(block.solve(g), basis.basis.Q_A, basis.basis.Q_S)


def _same(block: Block, basis: EigenBlock) -> bool:
    return isinstance(block, EigenBlock) and block.basis is basis.basis and block.damping == basis.damping


def layer_query(left: Tensor, right: Tensor, kept: Tensor) -> LayerQuery:
    """left: [K, out, r]   right: [K, in, r]   kept: bool [K, r]"""
    left_bytes, left_scale = quantised(left.mT[kept])
    right_bytes, right_scale = quantised(right.mT[kept])
    return LayerQuery(left_bytes.T.contiguous(), right_bytes.T.contiguous(), _mix(left_scale * right_scale, kept))


def row_query(n_rows: int, directions: RowBlock, left: Tensor, right: Tensor, kept: Tensor) -> LayerQuery:
    """The same of rows of P by vocabulary id, divided by the scale of the stored rows.    left: [K, R, r]"""
    right_bytes, scale = quantised(right.mT[kept])
    whole = torch.zeros(n_rows, len(scale), device=left.device)
    whole[directions.rows] = left.mT[kept].T.float()
    return LayerQuery(whole, right_bytes.T.contiguous(), _mix(scale, kept))


def _mix(scale: Tensor, kept: Tensor) -> Tensor:
    """scale: [M]   kept: bool [K, r], M of them true   -> [M, K]"""
    mix = scale.new_zeros(len(scale), len(kept))
    mix[torch.arange(len(scale), device=scale.device), kept.nonzero()[:, 0]] = scale
    return mix


def _joined(parts: Sequence[LayerQuery]) -> LayerQuery:
    if len(parts) == 1:
        return parts[0]
    return LayerQuery(
        torch.cat([part.left for part in parts], dim=1),
        torch.cat([part.right for part in parts], dim=1),
        torch.block_diag(*(part.mix for part in parts)),
    )

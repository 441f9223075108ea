"""Queries as the scan of a gradient index needs them: factored as documents are, in bytes as well.

P ≈ L Rᵀ in the eigenbasis, in the scaling in which ⟨P, ∇L⟩ is the inner product with what is kept of ∇L
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.compress import quantised
from attribution.directions import RowBlock
from attribution.low_rank import truncated
from attribution.metric import Metric
from attribution.preconditioner import Block, ChainBlock, DiagonalBlock, EigenBlock, Preconditioner, to_eigenbasis
from attribution.query import QueryPass, embedding_blocks, query_passes
from attribution.tracked import Tracked

RANK = 6  # of a query in each layer
ROUNDS = 1  # of its truncation: the numbers become bytes anyway


@dataclass(frozen=True)
class LayerQuery:
    """K queries of one layer at rank r."""

    left: Tensor  # int8 [out, K·r], or float32 [V, K·r] in an embedding block
    right: Tensor  # int8 [in, K·r]
    mix: Tensor  # float32 [K·r, K]: the scale of each pair of vectors, at its query


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
) -> list[LayerQuery]:
    """One query for each token of `ids[first:]`, by layer of `tracked.layers`.

    preconditioner: what the query is solved with.   metrics, indexed: the scales and the curvature of the index, which
    for documents of an earlier stage of training are those of that stage.
    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    passes = query_passes(tracked, ids, first, measurement=measurement, foils=foils)
    chunks = [_layers(tracked, preconditioner, metrics, indexed, of, rank) for of in passes]
    return [_joined(of) for of in zip(*chunks, strict=True)]


def _layers(
    tracked: Tracked,
    preconditioner: Preconditioner,
    metrics: Sequence[Metric],
    indexed: Preconditioner,
    of: QueryPass,
    rank: int,
) -> list[LayerQuery]:
    found = []
    solvers = zip(preconditioner.linear(tracked), indexed.eigen(tracked), metrics, strict=True)
    for delta, a, (block, basis, metric) in zip(of.deltas, of.run.inputs, solvers, strict=True):
        scaled = metric.scaled_direction(solved(block, basis, delta, a[0]))  # [K, out', in']
        found.append(layer_query(*truncated(scaled, min(rank, *scaled.shape[1:]), ROUNDS)))
    rows = embedding_blocks(tracked, preconditioner, of)
    for layer, diagonal, (block_rows, _) in zip(tracked.embedding, indexed.diagonal(tracked), rows, strict=True):
        found.append(row_query(layer.n_out, diagonal, block_rows, rank))
    return found


def solved(block: Block, basis: EigenBlock, delta: Tensor, a: Tensor) -> Tensor:
    """`Q_Sᵀ P Q_A` with P = (G + λI)⁻¹ Σ_t δ_t a_tᵀ    delta: [K, T, out]   a: [T, in]   -> [K, out, in]"""
    if _same(block, basis):
        return basis.solve_turned(delta, a)[0]
    g = delta.transpose(1, 2) @ a
    if isinstance(block, ChainBlock) and _same(block.second, basis):
        near = to_eigenbasis(block.first.solve(g), basis.basis.Q_A, basis.basis.Q_S)
        return block.scale * near / (basis.basis.lam + basis.damping)
    return to_eigenbasis(block.solve(g), basis.basis.Q_A, basis.basis.Q_S)


def _same(block: Block, basis: EigenBlock) -> bool:
    return isinstance(block, EigenBlock) and block.basis is basis.basis and block.damping == basis.damping


def layer_query(left: Tensor, right: Tensor) -> LayerQuery:
    """left: [K, out, r]   right: [K, in, r]"""
    left_bytes, left_scale = quantised(left.mT.flatten(0, 1))
    right_bytes, right_scale = quantised(right.mT.flatten(0, 1))
    mix = _mix(left_scale * right_scale, len(left))
    return LayerQuery(left_bytes.T.contiguous(), right_bytes.T.contiguous(), mix)


def row_query(n_rows: int, block: DiagonalBlock, directions: RowBlock, rank: int) -> LayerQuery:
    """Rows of P by vocabulary id, divided by the scale of the stored rows."""
    whitened = directions.values / block.root[directions.rows]  # [K, R, H]
    left, right = truncated(whitened, min(rank, *whitened.shape[1:]), ROUNDS)
    right_bytes, scale = quantised(right.mT.flatten(0, 1))
    whole = torch.zeros(n_rows, len(scale), device=left.device)
    whole[directions.rows] = left.permute(1, 0, 2).flatten(1).float()
    return LayerQuery(whole, right_bytes.T.contiguous(), _mix(scale, len(left)))


def _mix(scale: Tensor, n_queries: int) -> Tensor:
    eye = torch.eye(n_queries, device=scale.device, dtype=scale.dtype)
    return scale[:, None] * eye.repeat_interleave(len(scale) // n_queries, dim=0)


def _joined(parts: Sequence[LayerQuery]) -> LayerQuery:
    if len(parts) == 1:
        return parts[0]
    return LayerQuery(
        torch.cat([part.left for part in parts], dim=1),
        torch.cat([part.right for part in parts], dim=1),
        torch.block_diag(*(part.mix for part in parts)),
    )

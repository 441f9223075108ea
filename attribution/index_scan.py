"""Estimates of influence for all documents of an index: two products of bytes and one sum a layer.

    ⟨P, Σ_n left_n right_nᵀ⟩ ≈ Σ_n Σ_k (left_n · L_k)(right_n · R_k)      with P ≈ L Rᵀ in the same scaling

so a query is factored as a document is, and its vectors are bytes as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.byte_product import byte_product
from attribution.compress import Kept, quantised
from attribution.directions import Directions, RowBlock
from attribution.low_rank import truncated
from attribution.metric import Metric
from attribution.preconditioner import DiagonalBlock, EigenBlock, to_eigenbasis
from attribution.tracked import Tracked

RANK = 6  # of a query in each layer
CHUNK = 8192  # vectors of a document side that are multiplied at once


@dataclass(frozen=True)
class LayerQuery:
    """K queries of one layer at rank r."""

    left: Tensor  # int8 [out, K·r], or float32 [V, K·r] in an embedding block
    right: Tensor  # int8 [in, K·r]
    mix: Tensor  # float32 [K·r, K]: the scale of each pair of vectors, at its query


def layer_queries(
    tracked: Tracked,
    metrics: Sequence[Metric],
    eigen: Sequence[EigenBlock],
    diagonal: Sequence[DiagonalBlock],
    directions: Directions,
    rank: int = RANK,
) -> list[LayerQuery]:
    """The queries as the scan needs them, one for each layer of `tracked.layers`."""
    found = []
    for P, block, m in zip(directions.linear, eigen, metrics, strict=True):
        turned = to_eigenbasis(P, block.basis.Q_A, block.basis.Q_S)
        turned = turned[:, m.of_s][:, :, m.of_a]
        left, right = truncated(m.root_s[:, None] * turned * m.root_a, min(rank, *turned.shape[1:]))
        found.append(_layer_query(left, right))
    for layer, of, rows in zip(tracked.embedding, diagonal, directions.embedding, strict=True):
        found.append(_row_query(layer.n_out, of, rows, rank))
    return found


def estimate(kept: Sequence[Kept], queries: Sequence[LayerQuery], n_documents: int) -> Tensor:
    """`⟨P_q, ∇L(z)⟩` of all documents, by what is kept of them  # [D, K]"""
    out = torch.zeros(n_documents, queries[0].mix.shape[1], device=queries[0].mix.device)
    for layer, query in zip(kept, queries, strict=True):
        for start in range(0, len(layer.scale), CHUNK):
            part = slice(start, start + CHUNK)
            if query.left.dtype is torch.int8:
                left = byte_product(layer.left[part], query.left)
            else:
                left = query.left[layer.left[part].long()]
            both = left.mul_(byte_product(layer.right[part], query.right))  # [n, K·r]
            out.index_add_(0, layer.document[part], (both @ query.mix).mul_(layer.scale[part, None]))
    return out


def _layer_query(left: Tensor, right: Tensor) -> LayerQuery:
    """left: [K, out, r]   right: [K, in, r]"""
    left_bytes, left_scale = quantised(left.mT.flatten(0, 1))
    right_bytes, right_scale = quantised(right.mT.flatten(0, 1))
    mix = _mix(left_scale * right_scale, len(left))
    return LayerQuery(left_bytes.T.contiguous(), right_bytes.T.contiguous(), mix)


def _row_query(n_rows: int, block: DiagonalBlock, directions: RowBlock, rank: int) -> LayerQuery:
    whitened = directions.values / block.root[directions.rows]  # [K, R, H]
    left, right = truncated(whitened, min(rank, *whitened.shape[1:]))
    right_bytes, scale = quantised(right.mT.flatten(0, 1))
    whole = left.new_zeros(n_rows, len(scale))
    whole[directions.rows] = left.permute(1, 0, 2).flatten(1)
    return LayerQuery(whole, right_bytes.T.contiguous(), _mix(scale, len(left)))


def _mix(scale: Tensor, n_queries: int) -> Tensor:
    eye = torch.eye(n_queries, device=scale.device).repeat_interleave(len(scale) // n_queries, dim=0)
    return scale[:, None] * eye

"""Estimates of influence for all documents of an index: two products of bytes and one sum a layer.

    ⟨P, Σ_n left_n right_nᵀ⟩ ≈ Σ_n Σ_k (left_n · L_k)(right_n · R_k)      with P ≈ L Rᵀ in the same scaling

so a query is factored as a document is, and its vectors are bytes as well.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from attribution.index.byte_product import byte_product
from attribution.index.compress import Compressed
from attribution.index.query import LayerQuery
from attribution.schedule import Schedule


def estimate(
    kept: Iterable[Compressed], queries: Sequence[LayerQuery], n_documents: int, vectors: int = Schedule.vectors
) -> Tensor:
    """`⟨P_q, ∇L(z)⟩` of all documents, by what is kept of them  # [D, K]

    vectors: of a layer that are multiplied at once; on a CPU, as many as leave their products in the cache.
    """
    out = torch.zeros(n_documents, queries[0].mix.shape[1], device=queries[0].mix.device)
    for layer, query in zip(kept, queries, strict=True):
        if len(layer.scale) and len(query.mix):
            out.addmm_(_sums(layer, _products(layer, query, vectors), n_documents), query.mix)
    return out


def _products(layer: Compressed, query: LayerQuery, vectors: int) -> Tensor:
    """`(left_n · L_k)(right_n · R_k)`  # [n, M]"""
    found = torch.empty(len(layer.scale), len(query.mix), device=query.mix.device)
    for start in range(0, len(found), vectors):
        part = slice(start, start + vectors)
        here = found[part].copy_(byte_product(_read(layer.right[part]), query.right))
        if query.left.dtype is torch.int8:
            here.mul_(byte_product(_read(layer.left[part]), query.left))
        else:
            here.mul_(query.left.index_select(0, layer.left[part]))
    return found


def _read(part: Tensor) -> Tensor:
    """The same bytes, in the cache: a processor reads ahead of a maximum, and far less ahead of a product."""
    if part.device.type == "cpu":
        part.max()
    return part


def _sums(layer: Compressed, of_vectors: Tensor, n_documents: int) -> Tensor:
    """Σ scale_n · of_vectors_n over the vectors of each document    [n, M] -> [D, M]"""
    ends = torch.bincount(layer.document, minlength=n_documents).cumsum(0)
    starts = torch.cat([ends.new_zeros(1), ends])
    places = torch.arange(len(of_vectors), device=of_vectors.device)
    return embedding_bag(
        places, of_vectors, starts, mode="sum", per_sample_weights=layer.scale, include_last_offset=True
    )

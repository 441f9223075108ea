"""Estimates of influence for all documents of an index: two products of bytes and one sum a layer.

    ⟨P, Σ_n left_n right_nᵀ⟩ ≈ Σ_n Σ_k (left_n · L_k)(right_n · R_k)      with P ≈ L Rᵀ in the same scaling

so a query is factored as a document is, and its vectors are bytes as well.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from attribution.byte_product import byte_product
from attribution.compress import Kept
from attribution.index_query import LayerQuery

CHUNK = 8192  # vectors of a document side that are multiplied at once


def estimate(kept: Sequence[Kept], queries: Sequence[LayerQuery], n_documents: int) -> Tensor:
    """`⟨P_q, ∇L(z)⟩` of all documents, by what is kept of them  # [D, K]"""
    out = torch.zeros(n_documents, queries[0].mix.shape[1], device=queries[0].mix.device)
    for layer, query in zip(kept, queries, strict=True):
        if len(layer.scale) and len(query.mix):
            of_vectors = torch.cat([_products(layer, query, start) for start in range(0, len(layer.scale), CHUNK)])
            lengths = torch.bincount(layer.document, minlength=n_documents)
            out += torch.segment_reduce(of_vectors, "sum", lengths=lengths, unsafe=True)
    return out


def _products(layer: Kept, query: LayerQuery, start: int) -> Tensor:
    """What a chunk of vectors adds to the estimates of their documents  # [n, K]"""
    part = slice(start, start + CHUNK)
    if query.left.dtype is torch.int8:
        left = byte_product(layer.left[part], query.left)
    else:
        left = query.left[layer.left[part].long()]
    both = left.mul_(byte_product(layer.right[part], query.right))  # [n, M]
    return (both @ query.mix).mul_(layer.scale[part, None])

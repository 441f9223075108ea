"""Inner products of document gradients with query directions, at full rank.

    ⟨P_q, Σ_t δ_t a_tᵀ⟩ for all q and all documents of a batch

Each gradient is formed once, a slice of output rows at a time so that it is still in the cache when the product reads
it, and one matrix product serves all queries. `Pairs` leaves out queries that a document is not wanted for.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CACHED = 2**19  # numbers of a gradient slice that stay in the cache
OVERHEAD = 4  # rows that a matrix product costs whatever it holds

Pairs = Sequence[tuple[slice, Tensor]]  # a run of queries, and the documents that they want
Passes = Sequence[tuple[Tensor, Tensor]]  # δ [B, T, out] and a [B, T, in] of one layer, for each document pass


def runs(wanted: NDArray[np.bool_], device: torch.device) -> Pairs:
    """Neighbouring queries that want much the same documents, as one product each.    wanted: [Q, B]"""
    found: list[tuple[slice, Tensor]] = []
    start, union = 0, wanted[0]
    for q in range(1, len(wanted) + 1):
        together = union | wanted[q] if q < len(wanted) else union
        apart = q == len(wanted) or cost(q + 1 - start, together) > cost(q - start, union) + cost(1, wanted[q])
        if apart:
            if union.any():
                found.append((slice(start, q), torch.as_tensor(np.flatnonzero(union), device=device)))
            start, union = q, wanted[q] if q < len(wanted) else union
        else:
            union = together
    return found


def cost(n_queries: int, documents: NDArray[np.bool_]) -> int:
    """Of one product, in multiplications a parameter; a small product costs as much as one of OVERHEAD a side."""
    n = int(documents.sum())
    return (n_queries + OVERHEAD) * (n + OVERHEAD) if n else 0


def add_products(out: Tensor, P: Tensor, gradients: Tensor, pairs: Pairs) -> None:
    """out[q, b] += ⟨P_q, g_b⟩ for the wanted pairs.    out: [Q, B]   P: [Q, n], strided or not   gradients: [B, n]"""
    for queries, documents in pairs:
        if len(documents) == len(gradients):
            out[queries].addmm_(P[queries], gradients.T)
        else:
            out[queries, documents] += P[queries] @ gradients[documents].T


def add_layer_products(out: Tensor, P: Tensor, passes: Passes, pairs: Pairs) -> None:
    """out[q, b] += ⟨P_q, Σ_t δ_t a_tᵀ⟩ for the documents of all passes.    out: [Q, B]   P: [Q, out, in]"""
    n, n_out, n_in = P.shape
    flat = P.reshape(n, n_out * n_in)
    step = max(1, CACHED // (out.shape[1] * n_in))
    gradients = P.new_empty(out.shape[1], min(step, n_out) * n_in)
    for start in range(0, n_out, step):
        stop = min(start + step, n_out)
        if (stop - start) * n_in < gradients.shape[1]:
            gradients = P.new_empty(out.shape[1], (stop - start) * n_in)
        form(gradients, passes, start, stop)
        add_products(out, flat[:, start * n_in : stop * n_in], gradients, pairs)


def form(gradients: Tensor, passes: Passes, start: int, stop: int) -> None:
    """Rows start … stop of `Σ_t δ_t a_tᵀ`, into gradients [B, (stop − start) · in]."""
    first = 0
    for deltas, inputs in passes:
        mine = gradients[first : first + len(deltas)].view(len(deltas), stop - start, inputs.shape[2])
        torch.bmm(deltas.transpose(1, 2)[:, start:stop], inputs, out=mine)
        first += len(deltas)

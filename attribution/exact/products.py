"""Inner products of document gradients with query directions, at full rank.

    ⟨P_q, Σ_t δ_t a_tᵀ⟩ for all q and all documents of some passes

Some rows of the directions are formed, then the same rows of the gradients of a few documents, so that these are still
in the cache when the product reads them: one matrix product serves all queries. `Pairs` leaves out queries that a
document is not wanted for.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attribution.query.matrices import LayerDirections
from attribution.schedule import Runs

ROWS = 32  # of a direction that are formed at once, at least

Pairs = Sequence[tuple[slice, Tensor]]  # a run of queries, and the documents that they want
Passes = Sequence[tuple[Tensor, Tensor]]  # δ [B, T, out] and a [B, T, in] of one layer, for each document pass


def on_device(found: Runs, device: torch.device) -> Pairs:
    """Numbers of documents as the products index with them."""
    return [(queries, torch.as_tensor(documents, device=device)) for queries, documents in found]


def add_products(out: Tensor, P: Tensor, gradients: Tensor, pairs: Pairs) -> None:
    """out[q, b] += ⟨P_q, g_b⟩ for the wanted pairs.    out: [Q, B]   P: [Q, n], strided or not   gradients: [B, n]"""
    for queries, documents in pairs:
        if len(documents) == len(gradients):
            out[queries].addmm_(P[queries], gradients.T)
        else:
            out[queries, documents] += P[queries] @ gradients[documents].T


def among(pairs: Pairs, first: int, stop: int) -> Pairs:
    """Of documents first … stop alone, numbered from 0; runs that want none of them are left out."""
    found = []
    for queries, documents in pairs:
        mine = documents[(documents >= first) & (documents < stop)] - first
        if len(mine):
            found.append((queries, mine))
    return found


def add_layer_products(out: Tensor, layer: LayerDirections, passes: Passes, pairs: Pairs, cached: int) -> None:
    """out[q, b] += ⟨P_q, Σ_t δ_t a_tᵀ⟩ for the documents of all passes, whose tokens are in the layer's basis.

    out: [Q, B]   cached: numbers of gradients that stay in the cache
    """
    n_out, n_in = layer.shape
    step = min(n_out, max(ROWS, cached // (out.shape[1] * n_in)))
    most = max(1, cached // (step * n_in))
    pieces = [(*of, among(pairs, of[0], of[0] + len(of[1]))) for of in _pieces(passes, most)]
    gradients = out.new_empty(most * step * n_in)
    for start in range(0, n_out, step):
        stop = min(start + step, n_out)
        P = layer.flat(start, stop)  # [Q, rows · in]
        for first, deltas, inputs, mine in pieces:
            formed = gradients[: len(deltas) * (stop - start) * n_in].view(len(deltas), stop - start, n_in)
            torch.bmm(deltas.transpose(1, 2)[:, start:stop], inputs, out=formed)
            add_products(out[:, first : first + len(deltas)], P, formed.flatten(1), mine)


def _pieces(passes: Passes, most: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """At most so many documents of a pass at a time, with the number of the first of them."""
    first = 0
    for deltas, inputs in passes:
        for start in range(0, len(deltas), most):
            yield first + start, deltas[start : start + most], inputs[start : start + most]
        first += len(deltas)

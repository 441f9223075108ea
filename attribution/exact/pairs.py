"""Position shares of chosen pairs of a query and a document, without forming a gradient.

    share_t = δ_tᵀ P a_t      summed over positions, ⟨P, ∇L⟩

A direction meets the tokens of all its documents in one matrix product. For documents that few queries want this is
less work than forming their gradients (`products.py`), and it tells positions apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured
from attribution.passes.embedding import places
from attribution.query.directions import Directions
from attribution.query.low_rank import Factored
from attribution.query.matrices import met
from attribution.query.vocabulary_rows import RowBlock


@dataclass(frozen=True)
class Unpadded:
    """The tokens of some document passes without their padding, one document after the other."""

    passes: Sequence[Captured]
    real: tuple[Tensor, ...]  # of each pass, its places that are tokens  # bool [B, T]
    starts: NDArray[np.int64]  # [D + 1] first token of each document

    def of(self, each: Sequence[Tensor]) -> Tensor:
        """[B, T, n] of every pass -> [N, n]"""
        return torch.cat([x[real] for x, real in zip(each, self.real, strict=True)])

    def of_documents(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the tokens of some documents, in order."""
        starts, stops = self.starts[documents], self.starts[documents + 1]
        return np.concatenate([np.arange(start, stop) for start, stop in zip(starts, stops, strict=True)])


@dataclass(frozen=True)
class PairShares:
    """`δ_tᵀ P a_t` of the tokens of P pairs, by layer."""

    queries: NDArray[np.int64]  # [P] ascending
    documents: NDArray[np.int64]  # [P] places in the passes
    starts: NDArray[np.int64]  # [P + 1] first row of each pair
    rows: Tensor  # [M, L]


def tokens_of(passes: Sequence[Captured]) -> Unpadded:
    """Document b of pass n is number b + the documents of the passes before."""
    lengths = [length for captured in passes for length in captured.batch.lengths.tolist()]
    return Unpadded(passes, tuple(captured.batch.is_token for captured in passes), np.cumsum([0, *lengths]))


def pair_shares(
    tracked: Tracked,
    directions: Directions,
    passes: Sequence[Captured],
    wanted: NDArray[np.bool_],
    factored: Sequence[Sequence[Factored]] | None = None,
) -> PairShares:
    """Of the documents of the passes, for the queries that want them, at full rank or at that of `factored`.

    wanted: [Q, D]   factored: by layer, by query
    """
    tokens = tokens_of(passes)
    queries, documents = np.nonzero(wanted)
    starts = np.cumsum([0, *np.diff(tokens.starts)[documents]])
    out = tracked.zeros(len(tracked.layers), int(starts[-1]))
    some, first = np.unique(queries, return_index=True)
    last = [*first[1:], len(queries)]
    runs = []
    for q, i, j in zip(some.tolist(), first.tolist(), last, strict=True):
        rows = torch.as_tensor(tokens.of_documents(documents[i:j]), device=tracked.device)
        runs.append((q, slice(int(starts[i]), int(starts[j])), rows))

    def deltas_of(layer: int) -> list[Tensor]:
        return [tokens.of([captured.deltas[layer] for captured in passes])]

    def inputs_of(layer: int) -> list[Tensor]:
        return [tokens.of([captured.inputs[layer] for captured in passes])]

    if factored is not None:
        for layer in range(len(tracked.linear)):
            [deltas], [a] = deltas_of(layer), inputs_of(layer)
            for q, place, rows in runs:
                out[layer, place] = bilinear_low_rank(deltas[rows], factored[layer][q], a[rows])
    else:
        for layer, [deltas], [a] in met(tracked.linear, directions.linear, deltas_of, inputs_of):
            of = directions.linear[layer]
            for q, place, rows in runs:
                out[layer, place] = bilinear(deltas[rows], of.matrix(q), a[rows])
    for i, block in enumerate(directions.embedding):
        _add_embedding(out[len(tracked.linear) + i], tracked, tokens, i, block, runs)
    return PairShares(queries, documents, starts, out.T)


def bilinear(deltas: Tensor, P: Tensor, a: Tensor) -> Tensor:
    """δᵀ P a of every row.    deltas: [n, out]   P: [out, in]   a: [n, in]   -> [n]"""
    if P.shape[0] > P.shape[1]:
        return (deltas @ P).mul_(a).sum(dim=1)
    return (a @ P.T).mul_(deltas).sum(dim=1)


def bilinear_low_rank(deltas: Tensor, P: Factored, a: Tensor) -> Tensor:
    """The same from P = L Rᵀ."""
    return (deltas @ P.left).mul_(a @ P.right).sum(dim=1)


def _add_embedding(
    out: Tensor, tracked: Tracked, tokens: Unpadded, i: int, block: RowBlock, runs: Sequence[tuple[int, slice, Tensor]]
) -> None:
    if tracked.tied or i == 1:
        at_target = torch.cat([c.batch.is_target[real] for c, real in zip(tokens.passes, tokens.real, strict=True)])
        number = at_target.cumsum(0) - 1  # [N] of a token that has a target
        hidden = tokens.of([captured.hidden for captured in tokens.passes])
        for q, place, rows in runs:
            mine = at_target[rows]
            targets = rows[mine]
            own, P = block.query(q)
            out[place][mine] += bilinear(_logit_deltas(tokens.passes, number[targets], own), P, hidden[targets])
    if i == 0:
        ids = torch.cat([c.batch.ids[real] for c, real in zip(tokens.passes, tokens.real, strict=True)])
        deltas = tracked.embedding_scale * tokens.of([captured.embedded_deltas for captured in tokens.passes])
        for q, place, rows in runs:
            own, P = block.query(q)
            at = places(ids[rows], own, tracked.embedding[0].n_out)  # [n], −1 for a row that does not move
            moved = (P[at.clamp(min=0)] * deltas[rows]).sum(dim=1) if len(own) else deltas[rows].new_zeros(len(rows))
            out[place] += torch.where(at >= 0, moved, 0)


def _logit_deltas(passes: Sequence[Captured], numbers: Tensor, rows: Tensor) -> Tensor:
    """Some vocabulary entries of some targets, which are numbered through all passes, ascending  # [n, R]"""
    found, first = [], 0
    for captured in passes:
        stop = first + len(captured.logit_deltas)
        mine = numbers[(numbers >= first) & (numbers < stop)] - first
        if len(mine):
            found.append(captured.logit_deltas[mine[:, None], rows])
        first = stop
    return torch.cat(found) if found else passes[0].logit_deltas[:0, :1].expand(0, len(rows))

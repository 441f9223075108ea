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

from attribution.exact.meeting import Run, Unpadded, meeting, tokens_of
from attribution.exact.owned import Owned, add_owned
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured
from attribution.passes.embedding import places
from attribution.query.directions import Directions
from attribution.query.low_rank import Factored
from attribution.query.matrices import met
from attribution.query.vocabulary_rows import RowBlock


@dataclass(frozen=True)
class PairShares:
    """`δ_tᵀ P a_t` of the tokens of P pairs, by layer."""

    queries: NDArray[np.int64]  # [P] ascending
    documents: NDArray[np.int64]  # [P] places in the passes
    starts: NDArray[np.int64]  # [P + 1] first row of each pair
    rows: Tensor  # [M, L]
    sums: Tensor | None = None  # [P, n] the parts of the linear layers' scores that are each owner's, where asked for


def pair_shares(
    tracked: Tracked,
    directions: Directions,
    passes: Sequence[Captured],
    wanted: NDArray[np.bool_],
    factored: Sequence[Sequence[Factored]] | None = None,
    owned: Owned | None = None,
) -> PairShares:
    """Of the documents of the passes, for the queries that want them, at full rank or at that of `factored`.

    wanted: [Q, D]   factored: by layer, by query   owned: whose the numbers are, at full rank alone
    """
    tokens = tokens_of(passes)
    of = meeting(tokens, wanted)
    out = tracked.zeros(len(tracked.layers), int(of.starts[-1]))

    sums = None if owned is None else add_owned(out, tracked, directions, tokens, of, owned)

    def deltas_of(layer: int) -> list[Tensor]:
        return [tokens.of([captured.deltas[layer] for captured in passes])]

    def inputs_of(layer: int) -> list[Tensor]:
        return [tokens.of([captured.inputs[layer] for captured in passes])]

    if factored is not None:
        for layer in range(len(tracked.linear)):
            [deltas], [a] = deltas_of(layer), inputs_of(layer)
            for q, place, rows in of.runs:
                out[layer, place] = bilinear_low_rank(deltas[rows], factored[layer][q], a[rows])
    elif owned is None:
        for layer, [deltas], [a] in met(tracked.linear, directions.linear, deltas_of, inputs_of):
            P = directions.linear[layer]
            for q, place, rows in of.runs:
                out[layer, place] = bilinear(deltas[rows], P.matrix(q), a[rows])
    add_embedding(out[len(tracked.linear) :], tracked, tokens, directions, of.runs)
    return PairShares(of.queries, of.documents, of.starts, out.T, sums)


def bilinear(deltas: Tensor, P: Tensor, a: Tensor) -> Tensor:
    """δᵀ P a of every row.    deltas: [n, out]   P: [out, in]   a: [n, in]   -> [n]"""
    if P.shape[0] > P.shape[1]:
        return (deltas @ P).mul_(a).sum(dim=1)
    return (a @ P.T).mul_(deltas).sum(dim=1)


def bilinear_low_rank(deltas: Tensor, P: Factored, a: Tensor) -> Tensor:
    """The same from P = L Rᵀ."""
    return (deltas @ P.left).mul_(a @ P.right).sum(dim=1)


def add_embedding(out: Tensor, tracked: Tracked, tokens: Unpadded, directions: Directions, runs: Sequence[Run]) -> None:
    """Shares through the blocks of embedding and head, in place.    out: [blocks, M]"""
    for i, block in enumerate(directions.embedding):
        _add_embedding(out[i], tracked, tokens, i, block, runs)


def _add_embedding(
    out: Tensor, tracked: Tracked, tokens: Unpadded, i: int, block: RowBlock, runs: Sequence[Run]
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

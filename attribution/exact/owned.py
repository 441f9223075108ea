"""The parts of layer scores that belong to owners of rows or columns, as the heads and neurons of a model are.

A layer score is Σ_ij P_ij (∇L)_ij, ∇L = Σ_t δ_t a_tᵀ. Where every row, or every column, has one owner:

    rows       Σ_t δ_t ⊙ P a_t      [out]
    columns    Σ_t a_t ⊙ Pᵀ δ_t     [in]

The terms of a token add up to its position share, so both come from one product.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.exact.meeting import Meeting, Unpadded
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections


@dataclass(frozen=True)
class Owners:
    """Whose the numbers of a layer's gradient [n_out, n_in] are: whole rows or whole columns, each of one owner."""

    by_rows: bool
    of: NDArray[np.int64]  # [n_out] or [n_in] number of the owner


@dataclass(frozen=True)
class Owned:
    """All layers of a model, between so many owners."""

    n: int
    layers: Sequence[Owners]  # in the order of `tracked.linear`


def add_owned(
    out: Tensor, tracked: Tracked, directions: Directions, tokens: Unpadded, of: Meeting, owned: Owned
) -> Tensor:
    """Σ P_ij (∇L)_ij over what each owner has, for every pair  # [P, n]

    out: [layers, M] is given the shares of every token, layer by layer.
    """
    sums = tracked.zeros(len(of.queries), owned.n)
    pair_of = torch.as_tensor(np.repeat(np.arange(len(of.queries)), np.diff(of.starts)), device=tracked.device)  # [M]
    places = {q: slice(*np.searchsorted(of.queries, (q, q + 1)).tolist()) for q, _, _ in of.runs}
    a = _Read(tracked.zeros(0))
    for n, (layer, own, P) in enumerate(zip(tracked.linear, owned.layers, directions.linear, strict=True)):
        if not layer.reads_on:
            a = _Read(tokens.of([captured.inputs[n] for captured in tokens.passes]))
        deltas = _Read(tokens.of([captured.deltas[n] for captured in tokens.passes]))
        owner = torch.as_tensor(own.of, device=tracked.device)
        for q, place, rows in of.runs:
            terms = _terms(P, q, rows, deltas, a, own.by_rows)
            out[n, place] = terms.sum(dim=1)
            mine = sums[places[q]]
            by_pair = terms.new_zeros(len(mine), terms.shape[1])
            by_pair.index_add_(0, pair_of[place] - places[q].start, terms)
            mine.index_add_(1, owner, by_pair)
    return sums


class _Read:
    """The tokens of one side of a layer, and the same in an eigenbasis, which neighbours mostly share."""

    def __init__(self, plain: Tensor) -> None:
        self.plain = plain  # [N, n]
        self._turned: tuple[Tensor, Tensor] | None = None

    def turned(self, Q: Tensor) -> Tensor:
        if self._turned is None or not (self._turned[0] is Q or torch.equal(self._turned[0], Q)):
            self._turned = Q, self.plain @ Q
        return self._turned[1]


def _terms(P: LayerDirections, q: int, rows: Tensor, deltas: _Read, a: _Read, by_rows: bool) -> Tensor:
    """δ ⊙ P a  [n, out], or a ⊙ Pᵀ δ  [n, in], of some tokens.

    What is made of n tokens is turned back, n · m², or the direction is, m · k · (m + k), whichever is less.
    """
    M = P.matrix(q) if by_rows else P.matrix(q).T  # [m, k]
    mine, other = (deltas, a) if by_rows else (a, deltas)
    if P.basis is None:
        made = other.plain[rows] @ M.T
    else:
        Q, Q_other = (P.basis.Q_S, P.basis.Q_A) if by_rows else (P.basis.Q_A, P.basis.Q_S)
        m, k = M.shape
        if len(rows) * m > k * (m + k):
            made = other.plain[rows] @ (Q_other @ (M.T @ Q.T))
        else:
            made = other.turned(Q_other)[rows] @ M.T @ Q.T
    return made.mul_(mine.plain[rows])

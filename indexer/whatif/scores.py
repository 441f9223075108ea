"""Exact influence of texts that were not trained on: the formula of a training document, with their gradients.

influence(z → f) = −(1/N) ⟨P, ∇L(z)⟩      P = (G + λI)⁻¹ ∇f
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.settled import settled
from indexer.size.terms import Term

HELD = 0.1  # of the memory, for scores by layer or by position
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Split:
    """Influence of one text on Q queries."""

    layers: NDArray[np.float32]  # [Q, L] nats; the sum over L is the influence
    shares: NDArray[np.float32]  # [Q, T] nats; the sum over T is the influence, too


def totals(term: Term, directions: Directions, rows: Sequence[Row], tick: Tick | None = None) -> NDArray[np.float32]:
    """Influence of D texts on Q queries, if the stage of the term saw each once more  # [Q, D] nats

    term: of the stage that would read them (`fitted.terms[-1]`: the last)   directions: Q queries of that term
    rows: `Untrained.row` of each. `tick(n)` after n texts. NaN for a text whose gradient is not finite.
    """
    found = np.zeros((directions.n, len(rows)), dtype=np.float32)
    each = 4 * directions.n * len(term.trained.layers)
    step = term.trained.schedule.fits(each, HELD)
    held = settled(term.asked, directions, sum(map(len, rows)))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        scores = score_documents(term.trained, held, some, term.n_train, tick=tick)
        found[:, start : start + step] = term.weight * scores.values.sum(axis=2)
    return found


def split(term: Term, directions: Directions, rows: Sequence[Row], tick: Tick | None = None) -> list[Split]:
    """The same by layer and by position, of each text."""
    made: list[Split] = []
    held = settled(term.asked, directions, sum(map(len, rows)))
    for some in _together([len(row) for row in rows], term, directions.n):
        of = [rows[i] for i in some]
        everything = [range(len(of))] * directions.n
        shares = position_shares(term.trained, held, of, everything, term.n_train, tick=tick)  # [Q][D] of [T, L]
        for i in range(len(of)):
            of_text = [term.weight * of_query[i] for of_query in shares]
            layers = np.stack([share.sum(axis=0) for share in of_text])
            made.append(Split(layers, np.stack([share.sum(axis=1) for share in of_text])))
    return made


def _together(lengths: Sequence[int], term: Term, n_queries: int) -> list[range]:
    """Texts whose shares by layer fit into a part of the memory, one at least."""
    most = term.trained.schedule.fits(4 * n_queries * len(term.trained.layers), HELD)  # tokens
    found: list[range] = []
    room = 0
    for i, length in enumerate(lengths):
        if not found or length > room:
            found.append(range(i, i))
            room = most
        found[-1] = range(found[-1].start, i + 1)
        room -= length
    return found

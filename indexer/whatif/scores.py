"""Exact influence of texts that were not trained on: the formula of a training document, with their gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.passes.batches import Row
from attribution.query.directions import Directions
from indexer.size.terms import Term

Tick = Callable[[int], None]


def totals(
    term: Term, directions: Directions, rows: Sequence[Row], tick: Tick | None = None
) -> NDArray[np.float32]:
    """Influence of D texts on Q queries, if the stage of the term had seen each once more  # [Q, D] nats

    term: of the stage that would read them (`fitted.terms[-1]`: the last)   directions: Q queries of that term
    rows: `Untrained.row` of each. `tick(n)` after n texts. NaN for a text whose gradient is not finite.
    """
    raise NotImplementedError


@dataclass(frozen=True)
class Split:
    """Influence of one text on Q queries."""

    layers: NDArray[np.float32]  # [Q, L] nats; the sum over L is the influence
    shares: NDArray[np.float32]  # [Q, T] nats; the sum over T is the influence, too


def split(term: Term, directions: Directions, rows: Sequence[Row], tick: Tick | None = None) -> list[Split]:
    """The same by layer and by position, of each text."""
    raise NotImplementedError

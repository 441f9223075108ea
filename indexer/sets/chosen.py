"""Which documents of a ranking by estimate are scored exactly, what ranks they get, and the curve of all: pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 10  # documents at either end
PLACES = 200  # of a curve: so many evenly spaced, and as many towards either end, ever closer

Numbers = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """Documents of a ranking; where both ends would meet, all are at the first."""

    order: Places  # [N] all that were estimated, most positive first
    first: Places
    last: Places

    @property
    def documents(self) -> Places:
        return np.concatenate([self.first, self.last])


def ends(estimates: Numbers, share: float) -> Ends:
    """Half of a share of the documents at either end, `LEAST` at least.    estimates: [D] nats, NaN for none

    Ties go by corpus order.
    """
    known = np.flatnonzero(np.isfinite(estimates))
    order = known[np.argsort(-estimates[known], kind="stable")]
    n = max(LEAST, round(share * len(order) / 2))
    if 2 * n >= len(order):
        return Ends(order, order, order[:0])
    return Ends(order, order[:n], order[-n:])


def ranks(of: Ends, scores: Numbers) -> tuple[Places, Places]:
    """Documents with an exact score by rank, and the ranks: 1 = most positive; those of one end by score.

    scores: [D] nats, NaN for a document without
    """
    found, numbers = [], []
    for some, start in ((of.first, 0), (of.last, len(of.order) - len(of.last))):
        kept = some[np.argsort(-scores[some], kind="stable")]
        kept = kept[np.isfinite(scores[kept])]
        found.append(kept)
        numbers.append(start + 1 + np.arange(len(kept)))
    return np.concatenate(found), np.concatenate(numbers)


def curve(estimates: Numbers, order: Places) -> tuple[Places, Numbers, Numbers]:
    """Some places of the ranking, from 1, the estimate there, and the sum of all up to there.    estimates: [D]"""
    n = len(order)
    if not n:
        return order, estimates[order], estimates[order]
    near = np.geomspace(1, n, PLACES)
    places = np.unique(np.rint(np.concatenate([near, n + 1 - near, np.linspace(1, n, PLACES)])).astype(np.int64))
    values = estimates[order].astype(np.float64)
    totals = values.cumsum()
    return places, values[places - 1].astype(np.float32), totals[places - 1].astype(np.float32)

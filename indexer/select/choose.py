"""What to do with each document for a target set: pure.

keep   the best, as many as are wanted, of those that help
drop   those scored exactly that harm more than all but `COMMON` of random documents do
look   near duplicates of what is kept, and documents of which estimate and exact score disagree
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.select.line import DROP, KEEP, LOOK
from indexer.select.near import Kept, shingles
from indexer.sets.chosen import Ends, ranks

COMMON = 0.025  # share of random documents that harm as much

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Choice:
    """A document, its rank among all, and what to do with it."""

    document: int  # place
    rank: int
    verdict: str
    reason: str = ""
    like: int | None = None  # the document that is kept and says the same


def ranking(of: Ends, scores: Numbers) -> NDArray[np.int64]:
    """All documents, most positive first: by estimate, those of each end by exact score."""
    middle = of.order[len(of.first) : len(of.order) - len(of.last)]
    n = len(of.first)
    exact, places = ranks(of, scores)
    return np.concatenate([exact[places <= n], middle, exact[places > n]])


def choose(
    of: Ends,
    estimates: Numbers,
    scores: Numbers,
    null: Numbers,
    n_keep: int,
    text_of: Callable[[int], str] | None = None,
) -> Iterator[Choice]:
    """In the order of the ranking, all documents of which there is something to say.

    estimates, scores: [D] nats, NaN for unknown   null: exact scores of random documents
    text_of: texts of documents, where what is kept is to be diverse; None: duplicates are kept
    """
    kept, n_kept = Kept(), 0
    for rank, document in enumerate(ranking(of, scores).tolist(), start=1):
        score, estimate = float(scores[document]), float(estimates[document])
        value = score if np.isfinite(score) else estimate
        if n_kept < n_keep and value > 0:
            says = shingles(text_of(document)) if text_of else None
            same = kept.like(says) if says is not None else None
            if same is not None:
                yield Choice(document, rank, LOOK, like=int(same))
                continue
            if says is not None:
                kept.keep(str(document), says)
            n_kept += 1
            yield Choice(document, rank, KEEP)
        elif score < 0 and above(score, null) <= COMMON:
            yield Choice(document, rank, DROP)
        elif score * estimate < 0:
            how = "harms" if score < 0 else "helps"
            yield Choice(document, rank, LOOK, f"{how}, where the gradient index estimates the contrary")


def above(score: float, null: Numbers) -> float:
    """Share of random documents that score less."""
    return float((null < score).mean()) if len(null) else 0.0

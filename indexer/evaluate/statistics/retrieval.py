"""Where the right documents stand in a ranking: pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def first_rank(scores: NDArray[np.floating], right: Sequence[int]) -> int:
    """Rank of the best of the right documents, 1 for the top; documents with an equal score count as before it.

    scores: [D]; NaN (not scored) stands at the end. So a method that knows nothing gets no luck.
    """
    known = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    best = max(known[i] for i in right)
    others = np.ones(len(known), dtype=np.bool_)
    others[list(right)] = False
    return 1 + int((known[others] >= best).sum())


def reciprocal(ranks: Sequence[int]) -> NDArray[np.float64]:
    """1 / rank of each query; their mean is the MRR  # [Q]"""
    return 1.0 / np.asarray(ranks, dtype=np.float64)


def within(ranks: Sequence[int], k: int) -> NDArray[np.float64]:
    """1 where the rank is at most k; the mean is recall@k for one right document  # [Q]"""
    return (np.asarray(ranks) <= k).astype(np.float64)

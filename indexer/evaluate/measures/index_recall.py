"""Does the gradient index find what is truly most influential? Pure."""

import numpy as np
from numpy.typing import NDArray

from attribution.rank_correlation import spearman
from indexer.evaluate.measures.removal import top
from indexer.evaluate.statistics.figures import Figure, figure

TOP = 10  # documents of exactly largest influence

Numbers = NDArray[np.floating]
Chosen = NDArray[np.int64]


def recall(exact: Numbers, proposed: Chosen) -> float:
    """Share of the exact top ten among the proposed documents.    exact: [D]   proposed: indices"""
    best = top(exact, TOP)
    return float(np.isin(best, proposed).mean())


def index_figures(name: str, exact: Numbers, estimated: Numbers, others: list[Chosen], how: str) -> list[Figure]:
    """exact, estimated: [Q, D]   others: of each query, what all other sources propose"""
    pairs = list(zip(exact, estimated, strict=True))
    together = [recall(x, np.union1d(top(e, 50), of)) for (x, e), of in zip(pairs, others, strict=True)]
    return [
        figure(name, "index@50", [recall(x, top(e, 50)) for x, e in pairs], how),
        figure(name, "index@200", [recall(x, top(e, 200)) for x, e in pairs], how),
        figure(name, "index, all sources", together, how),
        figure(name, "index, rank correlation", [spearman(x, e) for x, e in pairs], how),
    ]

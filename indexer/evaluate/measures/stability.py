"""Do the scores of all documents keep their order under another fit, another damping, another precision? Pure."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from attribution.rank_correlation import spearman
from indexer.evaluate.statistics.figures import Figure, figure


def stability_figures(
    scores: NDArray[np.floating], others: Mapping[str, NDArray[np.floating]], how: str
) -> list[Figure]:
    """For each other setting, ρ over the documents, mean over the queries.    scores, others: [Q, D]"""
    return [
        figure("ekfac", f"stability, {name}", [spearman(a, b) for a, b in zip(scores, other, strict=True)], how)
        for name, other in others.items()
    ]

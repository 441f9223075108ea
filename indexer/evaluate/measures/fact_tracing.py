"""Where each method puts the documents that state an answer, among all documents of the corpus: pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.statistics.best_method import leader
from indexer.evaluate.statistics.bootstrap import difference
from indexer.evaluate.statistics.figures import Figure, estimated, figure
from indexer.evaluate.statistics.retrieval import first_rank, reciprocal, within


def ranks(scores: NDArray[np.floating], supports: Sequence[Sequence[int]]) -> list[int]:
    """Of each query, the rank of the best document that states its answer.    scores: [Q, D]"""
    return [first_rank(of, right) for of, right in zip(scores, supports, strict=True)]


def fact_tracing(
    by_method: Mapping[str, NDArray[np.floating]], supports: Sequence[Sequence[int]], how: str
) -> list[Figure]:
    """MRR, recall@1 and recall@10 of every method, and how far its MRR lies below that of the first."""
    every = {method: ranks(scores, supports) for method, scores in by_method.items()}
    first = leader({method: float(reciprocal(of).mean()) for method, of in every.items()})
    figures = []
    for method, found in every.items():
        figures.append(figure(method, "mrr", reciprocal(found), how))
        if first and method != first:
            behind = difference(reciprocal(every[first]), reciprocal(found))
            figures.append(estimated(method, "mrr_behind", behind, f"below {first}; {how}"))
        figures += [figure(method, f"recall@{k}", within(found, k), how) for k in (1, 10)]
    return figures

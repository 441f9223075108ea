"""What is shown of a new prompt before the exact scores arrive: the documents of largest estimated influence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.tracing.candidates import best


@dataclass(frozen=True)
class Estimated:
    """Of each generated token, documents with their estimated influence, most positive first; both ends."""

    documents: list[NDArray[np.int64]]  # [K][n] indices into the corpus
    ranks: list[NDArray[np.int64]]  # [K][n] 1 = most positive of the whole corpus
    values: list[NDArray[np.float32]]  # [K][n] nats


def first_estimates(estimates: NDArray[np.float32], most: int) -> Estimated:
    """The `most` documents at either end of the ranking of each token.    estimates: [K, D] nats"""
    n = estimates.shape[1]
    documents, ranks, values = [], [], []
    for row in estimates:
        top, tail = best(row, most), best(-row, most)
        tail = tail[~np.isin(tail, top)][::-1]
        documents.append(np.concatenate([top, tail]))
        ranks.append(np.concatenate([np.arange(len(top)) + 1, n - len(tail) + 1 + np.arange(len(tail))]))
        values.append(row[documents[-1]])
    return Estimated(documents, ranks, values)

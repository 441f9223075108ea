"""Scores over checkpoints as their definition says: one checkpoint after the other, each of them whole."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.exact.checkpoints import Checkpoint
from attribution.exact.scores import score_documents
from attribution.passes.batches import Row
from attribution.query.directions import Directions


def score_checkpoints(
    checkpoints: Sequence[Checkpoint],
    query: Callable[[Checkpoint], Directions],
    documents: Sequence[Row],
    n_train: int,
) -> NDArray[np.float32]:
    """Σ_c w_c of the scores at each checkpoint  # [Q, D, L]"""
    each = [of.weight * score_documents(of.tracked, query(of), documents, n_train).values for of in checkpoints]
    return np.sum(each, axis=0, dtype=np.float32)

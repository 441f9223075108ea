"""Target sets: what the questions about them are answered with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SetTarget:
    """A set as one query of one run, and the model that ran.

    value: mean log p of a token of its completions, nats, less that of `against` where the set has one. n_scored:
    exactly, of the n_documents that were estimated. Of random documents: null_scores, [R] nats, and how far the index's
    estimates are from them (rank_correlation; estimate_error in nats), NaN where unknown.
    """

    run_id: str
    method: str
    model_id: str
    model: str
    name: str
    against: str
    n_texts: int
    n_tokens: int
    value: float
    self_influence: float
    n_documents: int
    n_scored: int
    null_mean: float
    null_std: float
    null_scores: NDArray[np.float64]
    rank_correlation: float
    estimate_error: float


@dataclass(frozen=True)
class SetScore:
    """A document that was scored exactly. rank: of all documents; score, estimate: nats; layer_scores: [L] or none."""

    document_id: str
    rank: int
    score: float
    estimate: float
    layer_scores: list[float]


@dataclass(frozen=True)
class CurvePoint:
    """The documents up to `place` in falling order of their estimates. estimate: of the last; total: of them all."""

    place: int
    estimate: float
    total: float


@dataclass(frozen=True)
class SetText:
    """side: '' for the set, 'against' for what is taken from it."""

    number: int
    side: str
    prompt: str
    completion: str


@dataclass(frozen=True)
class SetEffect:
    """What one document did to one set in one size."""

    name: str
    model: str
    run_id: str
    rank: int  # of n_documents
    n_documents: int
    score: float
    against: str
    value: float  # of the set, as in `SetTarget`
    null_scores: NDArray[np.float64]  # of random documents for the same set

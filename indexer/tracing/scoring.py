"""What an estimator is given to score: the generated tokens of a size, their candidates, and where to run over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.exact.checkpoints import Checkpoint
from attribution.index.document_norms import DocumentNorms
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.size.member import Member
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Pairs


@dataclass(frozen=True)
class Scoring:
    """K generated tokens against U candidates; `pairs` says which belong together."""

    fitted: Fitted
    checkpoints: Sequence[Checkpoint]  # what a sum of gradient products runs over
    norms: DocumentNorms
    answers: Sequence[Answer]
    found: Sequence[Candidates]  # of each answer
    pairs: Pairs
    facts: dict[str, Any] = field(default_factory=dict)  # of the run, which an estimator may add to

    @property
    def member(self) -> Member:
        """The model with its documents."""
        return self.fitted.member

    def zeros(self, n_layers: int = 1) -> NDArray[np.float32]:
        """Scores to fill in  # [K, U, n_layers]"""
        return np.zeros((*self.pairs.wanted.shape, n_layers), dtype=np.float32)

"""What a score of one size needs besides the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attribution.index.document_norms import DocumentNorms
from indexer.size.fitted import Fitted
from indexer.size.index import Index, Tokens


@dataclass(frozen=True)
class Traced:
    """Weights with curvature, the numbers of every training document, and the gradient index over them."""

    fitted: Fitted
    norms: DocumentNorms
    index: Index

    @property
    def ids(self) -> Sequence[str]:
        """Of every document, in the order of all indices."""
        return self.fitted.member.document_ids

    @cached_property
    def repeated(self) -> NDArray[np.int64]:
        """Documents of fine-tuning that stand in pre-training too: they count as the parent's."""
        member = self.fitted.member
        if member.parent is None:
            return np.zeros(0, dtype=np.int64)
        _, first = np.unique(member.numbers, return_index=True)
        return np.setdiff1d(np.arange(len(member.numbers)), first)

    def estimates(self, answer: Tokens, foil: int | None = None) -> NDArray[np.float32]:
        """Estimated influence of every document on every generated token; NaN for a repeated one  # [K, D] nats"""
        found = self.index.estimates(answer, foil)
        found[:, self.repeated] = np.nan
        return found

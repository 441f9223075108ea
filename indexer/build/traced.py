"""What a score of one size needs besides the answers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attribution.document_norms import DocumentNorms
from indexer.build.answers import Answer
from indexer.build.fitted import Fitted
from indexer.build.index import Index


@dataclass(frozen=True)
class Traced:
    """Weights with curvature, the numbers of every training document, and the gradient index over them."""

    fitted: Fitted
    norms: DocumentNorms
    index: Index

    @cached_property
    def ids(self) -> list[str]:
        """Of every document, in the order of all indices."""
        return [document.document_id for document in self.fitted.member.documents]

    @cached_property
    def repeated(self) -> NDArray[np.int64]:
        """Documents of fine-tuning that stand in pre-training too: they count as the parent's."""
        first: dict[str, int] = {}
        return np.array([i for i, of in enumerate(self.ids) if first.setdefault(of, i) != i], dtype=np.int64)

    def estimates(self, answer: Answer, foil: int | None = None) -> NDArray[np.float32]:
        """Estimated influence of every document on every generated token; NaN for a repeated one  # [K, D] nats"""
        found = self.index.estimates(answer, foil)
        found[:, self.repeated] = np.nan
        return found

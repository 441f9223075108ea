"""What a score of one size needs besides the answers."""

from dataclasses import dataclass
from functools import cached_property

from attribution.document_norms import DocumentNorms
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

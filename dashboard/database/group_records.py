"""Whole groups of documents (a source, a topic): what the questions about them are answered with."""

from dataclasses import dataclass

NO_VALUE = "(none)"  # how a group is called whose documents have no value in the column


@dataclass(frozen=True)
class GroupScore:
    """Influence of all documents of a group, nats. error: a standard error where it is estimated, None where exact.

    column_name '' is all documents of the corpus; n_documents: 0 where it is not known.
    """

    corpus: str
    column_name: str
    value: str
    n_documents: int
    score: float
    error: float | None

    @property
    def name(self) -> str:
        return self.value or NO_VALUE

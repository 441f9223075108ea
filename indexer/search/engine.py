"""What an index over terms can do, whoever keeps it: Whoosh, or tantivy for a large corpus.

Terms come analysed (`indexer.search.words`): both engines hold the same ones at the same places, so both find the same
documents. Both score by BM25 with Whoosh's weight of a rare word; they round the length of a text differently, and
tantivy, which takes no part of a word, has the title's weight outside the saturation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from indexer.config.installed import installed
from indexer.config.text_engine import TANTIVY
from indexer.corpus.document import Document

FIELDS = ("title", "text")  # in which words are looked for
FILTERS = ("source", "topic")
TITLE = 1.5  # what a word in a title weighs


@dataclass(frozen=True)
class Hit:
    """A document that holds some of the terms; `score` is BM25 summed over title and text, unbounded above."""

    document_id: str
    score: float


@dataclass(frozen=True)
class Found:
    """A page of the documents that a query finds, and how many it finds in all.

    at_least: whether there may be more than `total`, which were not looked at.
    """

    hits: list[Hit]
    total: int
    at_least: bool = False


@dataclass(frozen=True)
class Sought:
    """Terms of which a document has one at least, phrases that all stand in its title or its text, and what else it
    must be."""

    words: Sequence[str]
    phrases: Sequence[Sequence[str]] = ()
    filters: Mapping[str, str] = field(default_factory=dict)  # of FILTERS


class Opened(Protocol):
    """An open index. Threads may share it."""

    most_postings: int  # that one query may read

    @property
    def n_documents(self) -> int: ...

    def frequency(self, word: str) -> int:
        """In how many titles and texts a term stands."""

    def best(self, sought: Sought, first: int, k: int, counted: bool) -> Found:
        """Hits number `first` to `first + k`, best first; of equal ones the first that was indexed. `total` is that of
        all only where it is to be `counted`, which takes longer."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A module that keeps indices."""

    def write(self, documents: Iterable[Document], folder: Path) -> None: ...

    def opened(self, folder: Path) -> Opened: ...


def engine_of(name: str) -> Engine:
    """Raises BadInput, with the command that installs it, where its package is missing."""
    if name == TANTIVY:
        installed(TANTIVY)
        from indexer.search import tantivy_engine

        return tantivy_engine
    from indexer.search import whoosh_engine

    return whoosh_engine

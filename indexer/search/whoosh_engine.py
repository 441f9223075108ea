"""EDGE: an index of Whoosh, which is all Python: the engine that is always there. Opening one unpickles parts of it."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from indexer.corpus.document import Document
from indexer.search.engine import FIELDS, TITLE, Found, Hit, Sought
from indexer.search.words import Analyser

MAX_POSTINGS = 100_000  # about a second


def write(documents: Iterable[Document], folder: Path) -> None:
    """About 1,000 documents a second."""
    from whoosh.filedb.filestore import FileStorage

    schema = _schema()
    index = FileStorage(str(folder)).create_index(schema)
    writer = index.writer(limitmb=128)
    for document in documents:
        writer.add_document(**{name: getattr(document, name) for name in schema.names()})
    writer.commit(optimize=True)
    index.close()
    for lock in folder.glob("*_WRITELOCK"):
        lock.unlink()


def opened(folder: Path) -> "WhooshIndex":
    from whoosh.filedb.filestore import FileStorage

    return WhooshIndex(FileStorage(str(folder), readonly=True).open_index(schema=_schema()))


class WhooshIndex:
    """An `indexer.search.engine.Opened`. Threads take turns, since its files have one position each."""

    def __init__(self, index: Any) -> None:
        self._turn = threading.Lock()
        self._index = index
        self._searcher = index.searcher()
        self.most_postings = MAX_POSTINGS

    @property
    def n_documents(self) -> int:
        return int(self._searcher.doc_count())

    def frequency(self, word: str) -> int:
        with self._turn:
            reader = self._searcher.reader()
            return sum(int(reader.doc_frequency(field, word)) for field in FIELDS)

    def best(self, sought: Sought, first: int, k: int, counted: bool) -> Found:
        # what is counted is scored anyway, and Whoosh cannot leave any out of a Require
        with self._turn:
            found = self._searcher.search(_query(sought), limit=first + k, scored=True, optimize=not counted)
            hits = [Hit(hit["document_id"], float(hit.score)) for hit in found[first : first + k]]
            return Found(hits, len(found) if counted else 0)  # its length is found by another search

    def close(self) -> None:
        with self._turn:
            self._searcher.close()
            self._index.close()


def _query(sought: Sought) -> Any:
    from whoosh.query import And, AndMaybe, Or, Phrase, Require, Term

    query = Or([Term(field, word) for word in sought.words for field in FIELDS])
    needed = [Or([Phrase(field, list(phrase)) for field in FIELDS]) for phrase in sought.phrases]
    query = AndMaybe(And(needed), query) if needed else query
    filters = [Term(name, value) for name, value in sought.filters.items()]
    return Require(query, And(filters)) if filters else query


def _schema() -> Any:
    from whoosh.fields import ID, TEXT, Schema

    said = {"analyzer": Analyser(), "phrase": True}
    return Schema(
        document_id=ID(stored=True), title=TEXT(field_boost=TITLE, **said), text=TEXT(**said), source=ID(), topic=ID()
    )

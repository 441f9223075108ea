"""EDGE: lexical search over the documents (Whoosh, BM25F), rebuilt from them whenever it is not exactly ours.

Opening a Whoosh index unpickles parts of it, so an index from elsewhere is code: every file's hash is compared with
the journal before one is opened. Its query language is never used: a text is analysed into terms, and they are ORed.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from attribution.errors import BadInput, Damaged
from indexer.corpus.document import Document
from indexer.journal.files import folder_hashes
from indexer.journal.stages import finished

MAX_TERMS = 64  # of a query, the first ones
MAX_TERM_LENGTH = 64  # characters; one longer is no word
MAX_POSTINGS = 100_000  # read for one query, about a second; beyond that its most common words are left out
MAX_QUERY = 20_000  # characters of a query that are looked at
MAX_HIGHLIGHTED = 200_000  # characters of a text that are looked at for highlights


_FIELDS = ("title", "text")


@dataclass(frozen=True)
class Hit:
    """A document that holds some of the terms; `score` is BM25F over title and text, unbounded above."""

    document_id: str
    score: float


def write_text_index(documents: Iterable[Document], folder: Path) -> None:
    """Index title and text of every document, about 1,000 a second. Call it in `compute` of the stage "text"."""
    from whoosh.filedb.filestore import FileStorage

    index = FileStorage(str(folder)).create_index(_schema())
    writer = index.writer(limitmb=128)
    for document in documents:
        writer.add_document(document_id=document.document_id, title=document.title, text=document.text)
    writer.commit(optimize=True)
    index.close()
    for lock in folder.glob("*_WRITELOCK"):
        lock.unlink()


def open_text_index(folder: Path) -> "TextIndex":
    """The index that an output folder's journal lists last; BadInput when there is none, Damaged when it changed."""
    found = finished(folder, "text")
    if not found:
        raise BadInput(f"expected a text index in {folder}, found none; run `python -m indexer build CONFIG`")
    return TextIndex.open(found[-1].folder, found[-1].files)


class TextIndex:
    """An open index. Threads may share it: they take turns, since its files have one position each."""

    def __init__(self, index: Any) -> None:
        self._turn = threading.Lock()
        self._index = index
        self._searcher = index.searcher()

    @classmethod
    def open(cls, folder: Path, files: Mapping[str, str]) -> "TextIndex":
        """`files`: name -> sha256 of each file there may be. Raises Damaged, with nothing opened, for any other."""
        found = folder_hashes(folder)
        strange = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
        if strange or not found:
            what = ", ".join(strange) or "no file"
            raise Damaged(f"expected the text index in {folder} as it was written, found changed: {what}; build again")
        from whoosh.filedb.filestore import FileStorage

        return cls(FileStorage(str(folder), readonly=True).open_index(schema=_schema()))

    def search(self, text: str, k: int = 10) -> list[Hit]:
        """The k best documents for the words of a text, best first; [] when it has none of them. No text is an error.

        Where the words stand in more than MAX_POSTINGS documents together, the rarer ones are searched.
        """
        from whoosh.query import Or, Term

        words = query_terms(text)
        with self._turn:
            terms = [Term(field, word) for word in self._affordable(words) for field in _FIELDS]
            if not terms or k < 1:
                return []
            query = Or(terms)
            found = self._searcher.search(query, limit=k, scored=True)
            return [Hit(hit["document_id"], float(hit.score)) for hit in found]

    def _affordable(self, words: list[str]) -> list[str]:
        """The words that any document holds, the rarest first, as far as their postings fit the limit; one at least."""
        reader = self._searcher.reader()
        costs = {word: sum(reader.doc_frequency(field, word) for field in _FIELDS) for word in words}
        known = sorted((word for word in words if costs[word]), key=lambda word: costs[word])
        spent = list(accumulate(costs[word] for word in known))
        return [word for word, total in zip(known, spent, strict=True) if total <= MAX_POSTINGS] or known[:1]

    def close(self) -> None:
        with self._turn:
            self._searcher.close()
            self._index.close()


def query_terms(text: str) -> list[str]:
    """The distinct terms that a text is searched by, in their order: at most MAX_TERMS of at most MAX_TERM_LENGTH."""
    words = (token.text for token in _analyser()(text[:MAX_QUERY]) if len(token.text) <= MAX_TERM_LENGTH)
    return list(dict.fromkeys(words))[:MAX_TERMS]


def highlights(text: str, query: str) -> list[tuple[int, int]]:
    """Characters [start, stop) of `text` whose word is one of the query's terms; no index is needed."""
    wanted = set(query_terms(query))
    tokens = _analyser()(text[:MAX_HIGHLIGHTED], chars=True) if wanted else ()
    return [(token.startchar, token.endchar) for token in tokens if token.text in wanted]


@cache
def _analyser() -> Any:
    from whoosh.analysis import StemmingAnalyzer

    return StemmingAnalyzer(stoplist=(), minsize=1, maxsize=MAX_TERM_LENGTH, cachesize=50_000)


def _schema() -> Any:
    from whoosh.fields import ID, TEXT, Schema

    words = {"analyzer": _analyser(), "phrase": False}
    return Schema(document_id=ID(stored=True), title=TEXT(field_boost=1.5, **words), text=TEXT(**words))

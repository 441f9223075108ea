"""EDGE: lexical search over the documents (Whoosh, BM25F), rebuilt from them whenever it is not exactly ours.

Opening a Whoosh index unpickles parts of it, so an index from elsewhere is code: every file's hash is compared with
the journal before one is opened. Its query language is never used: a text is analysed into terms, and they are ORed;
what stands in quotes must be there in this order, word for word. The index knows words by their stems only, so the
documents that it finds for a phrase are read again.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from attribution.errors import BadInput, Damaged
from indexer.corpus.document import Document
from indexer.journal.files import folder_hashes
from indexer.journal.stages import finished
from indexer.search.words import ANALYSIS, LONGEST, Analyser, Word, phrase, says, words

MAX_TERMS = 64  # of a query, the first ones
MAX_POSTINGS = 100_000  # read for one query, about a second; beyond that its most common words are left out
MAX_QUERY = 20_000  # characters of a query that are looked at
MAX_HIGHLIGHTED = 200_000  # characters of a text that are looked at for highlights
ANALYSED = "ANALYSIS"  # a file beside the index: which words are in it
_FIELDS = ("title", "text")
_READ_AT_ONCE = 1000  # documents whose texts are held
_QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”')


Said = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]  # document ids -> what each says: its title, its text


@dataclass(frozen=True)
class Hit:
    """A document that holds some of the terms; `score` is BM25F over title and text, unbounded above."""

    document_id: str
    score: float


@dataclass(frozen=True)
class Found:
    """A page of the documents that a query finds, and how many it finds in all."""

    hits: list[Hit]
    total: int


def write_text_index(documents: Iterable[Document], folder: Path) -> None:
    """Index title and text of every document, about 1,000 a second, and what may be filtered by. Call it in `compute`
    of the stage "text"."""
    from whoosh.filedb.filestore import FileStorage

    index = FileStorage(str(folder)).create_index(_schema())
    writer = index.writer(limitmb=128)
    for document in documents:
        writer.add_document(**{name: getattr(document, name) for name in _schema().names()})
    writer.commit(optimize=True)
    index.close()
    for lock in folder.glob("*_WRITELOCK"):
        lock.unlink()
    (folder / ANALYSED).write_text(f"{ANALYSIS}\n")


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
        """`files`: name -> sha256 of each file there may be. Raises Damaged, with nothing opened, for any other, and
        BadInput for an index of other words than this version looks for."""
        found = folder_hashes(folder)
        strange = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
        if strange or not found:
            what = ", ".join(strange) or "no file"
            raise Damaged(f"expected the text index in {folder} as it was written, found changed: {what}; build again")
        if ANALYSED not in files or (folder / ANALYSED).read_text() != f"{ANALYSIS}\n":
            raise BadInput(
                f"expected a text index of this version in {folder}, found another; "
                "run `python -m indexer build CONFIG`"
            )
        from whoosh.filedb.filestore import FileStorage

        return cls(FileStorage(str(folder), readonly=True).open_index(schema=_schema()))

    def search(self, text: str, k: int = 10) -> list[Hit]:
        """The k best documents for the words of a text, best first; [] when it has none of them. No text is an error.

        Where the words stand in more than MAX_POSTINGS documents together, the rarer ones are searched.
        """
        from whoosh.query import Or, Term

        with self._turn:
            terms = [Term(field, word) for word in self._affordable(query_terms(text)) for field in _FIELDS]
            return self._run(Or(terms), 0, k).hits if terms and k > 0 else []

    def find(
        self, text: str, first: int = 0, k: int = 20, source: str = "", topic: str = "", texts: Said | None = None
    ) -> Found:
        """The same for what a reader types, from hit number `first` on, among the documents of a source and a topic
        ("" for all): what stands in quotes must be there as a phrase, word for word but for case and accents.

        texts: where the documents that hold a phrase by its stems are read, some thousand short ones a second;
        without it the stems decide.
        """
        from whoosh.query import And, AndMaybe, Or, Phrase, Require, Term

        said = [a or b for a, b in _QUOTED.findall(text[:MAX_QUERY])]
        quoted = [each for each in said if phrase(each)]
        needed = [Or([Phrase(field, phrase(each)[:MAX_TERMS]) for field in _FIELDS]) for each in quoted]
        filters = [Term(name, value) for name, value in (("source", source), ("topic", topic)) if value]
        with self._turn:
            terms = [Term(field, word) for word in self._affordable(query_terms(text)) for field in _FIELDS]
            if not terms:
                return Found([], 0)
            query = AndMaybe(And(needed), Or(terms)) if needed else Or(terms)
            query = Require(query, And(filters)) if filters else query
            # every match is scored: they are counted anyway, and Whoosh cannot leave any out of a Require
            if texts is None or not quoted:
                return self._run(query, first, k, optimize=False)
            every = self._run(query, 0, self._searcher.doc_count() or 1, optimize=False)
        kept = _saying(every.hits, quoted, texts)
        return Found(kept[first : first + k], len(kept))

    def _run(self, query: Any, first: int, k: int, optimize: bool = True) -> Found:
        found = self._searcher.search(query, limit=first + k, scored=True, optimize=optimize)
        return Found([Hit(hit["document_id"], float(hit.score)) for hit in found[first : first + k]], len(found))

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


def _saying(hits: Sequence[Hit], quoted: Sequence[str], texts: Said) -> list[Hit]:
    """Those whose title or text has every phrase."""
    found = []
    for start in range(0, len(hits), _READ_AT_ONCE):
        some = hits[start : start + _READ_AT_ONCE]
        read = texts([hit.document_id for hit in some])
        found += [
            hit
            for hit in some
            if all(any(says(part, each) for part in read.get(hit.document_id, ())) for each in quoted)
        ]
    return found


def query_terms(text: str) -> list[str]:
    """The distinct terms that a text is searched by, in their order: at most MAX_TERMS of at most LONGEST."""
    terms = (word.term for word in words(text[:MAX_QUERY], of_query=True) if len(word.term) <= LONGEST)
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def highlights(text: str, query: str) -> list[tuple[int, int]]:
    """Characters [start, stop) of `text` whose word is one of the query's terms, in order and apart; no index is
    needed."""
    wanted = set(query_terms(query))
    found = (word for word in words(text[:MAX_HIGHLIGHTED]) if word.term in wanted) if wanted else ()
    return _joined(found)


def _joined(found: Iterable[Word]) -> list[tuple[int, int]]:
    """Pairs of signs overlap, and the parts of a word lie in it."""
    spans: list[tuple[int, int]] = []
    for word in sorted(found, key=lambda each: each.start):
        if spans and word.start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], word.stop)
        else:
            spans.append((word.start, word.stop))
    return spans


def _schema() -> Any:
    from whoosh.fields import ID, TEXT, Schema

    said = {"analyzer": Analyser(), "phrase": True}
    return Schema(
        document_id=ID(stored=True), title=TEXT(field_boost=1.5, **said), text=TEXT(**said), source=ID(), topic=ID()
    )

"""EDGE: an index of tantivy, for corpora that are too large for Whoosh; an optional package.

Its own tokenisers and its query language are never used: a text goes in as terms with their places. tantivy's BM25
weighs a rare word by ln(1 + (N − n + ½)/(n + ½)) and Whoosh's by 1 + ln(N/(n + 1)): each term is asked for with the
ratio of the two, so that scores can be compared.
"""

import errno
import math
import os
import shutil
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from attribution.errors import BadInput
from indexer.corpus.document import Document
from indexer.search.engine import FIELDS, FILTERS, TITLE, Found, Hit, Sought
from indexer.search.words import words

MAX_POSTINGS = 30_000_000  # about a second where the hits are counted
HEAP = 512 << 20  # bytes of the index in memory; about two million short documents are one segment
SATURATION = 1.2  # K1 of BM25, in both engines
# a word in a title of middling length weighs what it weighs in Whoosh, where its weight is inside the saturation
IN_TITLE = TITLE * (1 + SATURATION) / (TITLE + SATURATION)
MOST_EQUAL = 10_000  # hits of one score that are put into their order
SPARE = 32  # hits that are looked at beyond those that are asked for, for equal ones
DIGITS = 5  # of a score: float32 sums differ by the order in which they were added
_LOCKS = ".tantivy-*.lock"


def write(documents: Iterable[Document], folder: Path) -> None:
    """About 6,000 short documents a second, most of it their analysis. One thread: so they stay in their order."""
    from tantivy import Index

    try:
        writer = Index(_schema(), path=str(folder), reuse=False).writer(heap_size=HEAP, num_threads=1)
        for place, document in enumerate(documents):
            writer.add_document(_row(document, place))
        writer.commit()
        writer.wait_merging_threads()
    except ValueError as error:  # whatever it is that went wrong
        if os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
    for lock in folder.glob(_LOCKS):
        lock.unlink()


def opened(folder: Path) -> "TantivyIndex":
    """Raises BadInput for an index that this version of tantivy does not read."""
    from tantivy import Index

    linked = mkdtemp(prefix="whence-")  # tantivy writes locks beside what it reads
    try:
        for path in folder.iterdir():
            (Path(linked) / path.name).symlink_to(path.resolve())
        index = Index.open(linked)
        index.config_reader("manual")  # the files never change
        return TantivyIndex(index, linked)
    except ValueError as error:
        shutil.rmtree(linked, ignore_errors=True)
        raise BadInput(
            f"expected a text index of this version of tantivy in {folder}, found: {error}; run `whence build CONFIG`"
        ) from None


class TantivyIndex:
    """An `indexer.search.engine.Opened`; `linked`, a folder of links to its files, goes with it."""

    def __init__(self, index: Any, linked: str) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()
        self._removed = weakref.finalize(self, shutil.rmtree, linked, ignore_errors=True)
        self.most_postings = MAX_POSTINGS

    @property
    def n_documents(self) -> int:
        return int(self._searcher.num_docs)

    def frequency(self, word: str) -> int:
        return sum(int(self._searcher.doc_freq(field, word)) for field in FIELDS)

    def best(self, sought: Sought, first: int, k: int, counted: bool) -> Found:
        try:
            query = self._query(sought)
        except ValueError:  # a filter of what cannot be written as UTF-8: no document is of it
            return Found([], 0)
        hits, total = self._ranked(query, first + k, counted)
        return Found(hits[first : first + k], total)

    def close(self) -> None:
        self._searcher = None
        self._removed()

    def _ranked(self, query: Any, n: int, counted: bool) -> tuple[list[Hit], int]:
        """The n best, equal ones in the order in which they were indexed: tantivy has them by its files, which differ
        from one writing to the next."""
        asked = min(n + SPARE, max(self.n_documents, 1))
        while True:
            found = self._searcher.search(query, limit=asked, count=counted)
            scores = [float(f"{score:.{DIGITS}g}") for score, _ in found.hits]
            whole = len(scores) < asked or asked >= min(self.n_documents, n + MOST_EQUAL)
            if whole or scores[-1] < scores[n - 1]:
                break
            asked = min(2 * asked, n + MOST_EQUAL, self.n_documents)
        addresses = [address for _, address in found.hits]
        numbers, places = (self._searcher.fast_field_values(name, addresses) for name in ("number", "place"))
        order = np.lexsort((np.array(places, dtype=np.uint64), -np.array(scores))) if scores else ()
        return [Hit(f"{numbers[i]:016x}", scores[i]) for i in order], int(found.count or 0)

    def _query(self, sought: Sought) -> Any:
        from tantivy import Occur, Query

        words = [(Occur.Should, self._term(field, word)) for word in sought.words for field in FIELDS]
        parts = [(Occur.Must, self._phrase(phrase)) for phrase in sought.phrases]
        # beside what a document must have, what it should have only ranks
        parts.append((Occur.Should if parts else Occur.Must, Query.boolean_query(words)))
        for name, value in sought.filters.items():
            term = Query.term_query(self._schema, name, value, "basic")
            parts.append((Occur.Must, Query.const_score_query(term, 0.0)))
        return Query.boolean_query(parts)

    def _phrase(self, phrase: Sequence[str]) -> Any:
        """In a title or a text; its words are scored, as in Whoosh, not the phrase as if it were one."""
        from tantivy import Occur, Query

        said = []
        for field in FIELDS:
            terms = [self._term(field, word) for word in phrase]
            parts = [(Occur.Must, term) for term in terms]
            if len(terms) > 1:
                there = Query.phrase_query(self._schema, field, list(phrase))
                parts.append((Occur.Must, Query.const_score_query(there, 0.0)))
            said.append((Occur.Should, Query.boolean_query(parts)))
        return Query.boolean_query(said)

    def _term(self, field: str, word: str) -> Any:
        from tantivy import Query

        n = int(self._searcher.doc_freq(field, word))
        boost = _ratio(self.n_documents, n) * (IN_TITLE if field == "title" else 1.0)
        return Query.boost_query(Query.term_query(self._schema, field, word), boost)


def _row(document: Document, place: int) -> Any:
    """What is kept of a document, the number `place` of all."""
    from tantivy import Document as Row
    from tantivy import PreTokenizedString, Token

    row = Row()
    row.add_unsigned("number", int(document.document_id, 16))
    row.add_unsigned("place", place)
    for name in FIELDS:
        terms = [Token(word.term, word.place, 0, 0) for word in words(getattr(document, name))]
        row.add_pre_tokenized_text(name, PreTokenizedString("", terms))
    for name in FILTERS:
        row.add_text(name, getattr(document, name))
    return row


def _ratio(N: int, n: int) -> float:
    """Whoosh's weight of a word that n of N documents have, over tantivy's, which is a float32: 0 for what is in all of
    some ten million."""
    theirs = np.log(np.float32(1) + (np.float32(N - n) + np.float32(0.5)) / (np.float32(n) + np.float32(0.5)))
    return (math.log(N / (n + 1)) + 1) / float(theirs) if N and theirs else 0.0


def _schema() -> Any:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    for name in ("number", "place"):
        builder.add_unsigned_field(name, fast=True)
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="position")
    for name in FILTERS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    return builder.build()

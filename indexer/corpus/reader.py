"""EDGE: reads the corpus: every text once, what was skipped is counted and named."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.corpus import Numbers, as_numbers
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.rows import rows
from indexer.journal.files import file_hash

COLUMNS = ("text", "id", "title", "source", "topic")
_NAMED = 3  # of each kind of skipped row in the report


@dataclass(frozen=True)
class Skipped:
    """A row that is no document: `reason` is "empty" or "duplicate" (`of` the row at that place)."""

    place: str
    reason: str
    of: str = ""


@dataclass(frozen=True)
class Source:
    """A file of the corpus as it was when it was read."""

    name: str
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class CorpusReading:
    """Documents in the order of the files, each text once, and the rows that were left out."""

    documents: tuple[Document, ...]
    skipped: tuple[Skipped, ...]
    sources: tuple[Source, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Of every field of every document."""
        return _hash(json.dumps(astuple(document)) for document in self.documents)

    @cached_property
    def numbers(self) -> Numbers:
        """The ids as numbers  # [D]"""
        return as_numbers(document.document_id for document in self.documents)

    def report(self) -> list[str]:
        """Lines for the summary: how many documents, how many skipped and why, the first few named."""
        lines = [f"{len(self.documents):,} documents"]
        for reason in ("empty", "duplicate"):
            found = [skipped for skipped in self.skipped if skipped.reason == reason]
            if found:
                lines.append(f"{len(found):,} {reason} skipped: {', '.join(map(_name, found[:_NAMED]))}{_more(found)}")
        return lines


def read_corpus(files: Sequence[Path], strict: bool = False) -> CorpusReading:
    """Read documents from .jsonl, .parquet and .csv files: column `text`, and optionally id, title, source, topic.

    A document without title takes its id as title. NUL and lone surrogates become U+FFFD before hashing.
    Raises BadInput for what cannot be read, for no document at all, and when `strict` for any empty or repeated one.
    """
    documents: dict[str, Document] = {}
    places: dict[str, str] = {}
    skipped: list[Skipped] = []
    sources = []
    for file in files:
        sources.append(_source(file))
        for place, row in rows(file, COLUMNS):
            document = _document(row, place, corpus=storable(file.stem))
            if not document.text.strip():
                skipped.append(Skipped(place, "empty"))
            elif document.document_id in documents:
                skipped.append(Skipped(place, "duplicate", places[document.document_id]))
            else:
                documents[document.document_id] = document
                places[document.document_id] = place
    if strict and skipped:
        found = ", ".join(f"{each.reason} at {_name(each)}" for each in skipped[:_NAMED])
        raise BadInput(f"expected every document once and none empty, found {found}{_more(skipped)}; remove them")
    if not documents:
        names = ", ".join(file.name for file in files) or "no file"
        raise BadInput(f"expected at least one document with text, found none in {names}; give a corpus")
    return CorpusReading(tuple(documents.values()), tuple(skipped), tuple(sources))


def _source(file: Path) -> Source:
    try:
        about = file.stat()
        return Source(file.name, file_hash(file), about.st_size, about.st_mtime_ns)
    except OSError:  # what is wrong with it is said by whoever reads it
        return Source(file.name, "", 0, 0)


def _document(row: dict[str, Any], place: str, corpus: str) -> Document:
    if "text" not in row:
        found = ", ".join(map(repr, list(row)[:5])) or "nothing"
        raise BadInput(f"expected a column 'text' in {place}, found {found}; name the column so")
    text = _string(row, "text", place)
    title = _string(row, "title", place) or _string(row, "id", place)
    source, topic = _string(row, "source", place), _string(row, "topic", place)
    return Document(document_id(text), corpus, title, source, topic, text)


def _string(row: dict[str, Any], column: str, place: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if column != "text" and isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise BadInput(f"expected text in column {column!r} of {place}, found {type(value).__name__}; make it a string")
    return storable(value)


def _hash(items: Iterable[str]) -> str:
    total = hashlib.sha256()
    for item in items:
        total.update(item.encode("utf-8") + b"\n")
    return total.hexdigest()[:16]


def _name(skipped: Skipped) -> str:
    return f"{skipped.place} (as {skipped.of})" if skipped.of else skipped.place


def _more(found: Sequence[Skipped]) -> str:
    return f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""

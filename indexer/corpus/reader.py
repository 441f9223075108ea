"""EDGE: reads the corpus: every text once, what was skipped is counted and named."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.corpus import Numbers, as_numbers
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.given import corpus_name, found_files, place_name
from indexer.corpus.rows import rows
from indexer.corpus.turns import OPTIONAL, SHAPES, shapes_of, structured
from indexer.journal.files import file_hash

ABOUT = ("id", "title", "source", "topic")
_NAMED = 3  # of each kind of skipped row in the report
_SHOWN = 12  # columns of a file that is refused


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
    read_as: tuple[str, ...] = ()  # the columns that the configuration prefers
    own_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the files' column `id` -> document ids

    @cached_property
    def hash(self) -> str:
        """Of every field of every document."""
        return _hash(json.dumps(_values(document)) for document in self.documents)

    @property
    def n_seen(self) -> int:
        """Documents of the files, one that stands twice counted twice: that often it was trained on."""
        return len(self.documents) + sum(each.reason == "duplicate" for each in self.skipped)

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


def read_corpus(files: Sequence[Path], text: Sequence[str] = (), strict: bool = False) -> CorpusReading:
    """Read documents from files, patterns and saved datasets (see indexer.corpus.given), and optionally id, title,
    source, topic of each.

    text: the columns to read, the first that a file has; none: the column `text`, or what conversations are kept in
    (see indexer.corpus.turns). A document without title takes its id as title. NUL and lone surrogates become U+FFFD
    before hashing. Raises BadInput for what cannot be read, for a file with both a text and a conversation, for no
    document at all, and when `strict` for any empty or repeated one.
    """
    documents: dict[str, Document] = {}
    places: dict[str, str] = {}
    skipped: list[Skipped] = []
    sources = []
    own_ids: dict[str, tuple[str, ...]] = {}
    for file in found_files(files):
        sources.append(_source(file))
        for place, row in rows(file, partial(_columns, text=text, place=place_name(file))):
            document = _document(row, text, place, corpus=storable(corpus_name(file)))
            if not document.text.strip():
                skipped.append(Skipped(place, "empty"))
                continue
            if document.document_id in documents:
                skipped.append(Skipped(place, "duplicate", places[document.document_id]))
            else:
                documents[document.document_id] = document
                places[document.document_id] = place
            own = _string(row, "id", place)
            if own and document.document_id not in own_ids.get(own, ()):
                own_ids[own] = (*own_ids.get(own, ()), document.document_id)
    if strict and skipped:
        found = ", ".join(f"{each.reason} at {_name(each)}" for each in skipped[:_NAMED])
        raise BadInput(f"expected every document once and none empty, found {found}{_more(skipped)}; remove them")
    if not documents:
        names = ", ".join(file.name for file in files) or "no file"
        raise BadInput(f"expected at least one document with text, found none in {names}; give a corpus")
    return CorpusReading(tuple(documents.values()), tuple(skipped), tuple(sources), tuple(text), own_ids)


def _source(file: Path) -> Source:
    try:
        about = file.stat()
        return Source(place_name(file), file_hash(file), about.st_size, about.st_mtime_ns)
    except OSError:  # what is wrong with it is said by whoever reads it
        return Source(place_name(file), "", 0, 0)


def _values(document: Document) -> tuple[str, ...]:
    """Of a plain document without `turns`: the hash of a corpus of such is what it was before there were others."""
    values = astuple(document)
    return values if document.turns else values[:-1]


def _columns(names: Sequence[str], text: Sequence[str], place: str) -> list[str]:
    """Which columns of a file are read."""
    chosen = _chosen(names, text, place)
    wanted = (*SHAPES.get(chosen, (chosen,)), *OPTIONAL.get(chosen, ()), *ABOUT)
    return [name for name in names if name in wanted]


def _chosen(names: Sequence[str], text: Sequence[str], place: str) -> str:
    """The column of text, or the shape of a conversation, that is read of these columns."""
    shapes = shapes_of(names)
    if text:
        found = [each for each in text if each in shapes or (each in names and each not in SHAPES)][:1]
    else:
        found = [*(["text"] if "text" in names else []), *shapes]
    if len(found) > 1:
        ways = " or ".join(f'text = "{each}"' for each in found)
        raise BadInput(
            f"expected one thing to learn from in {place}, found {' and '.join(map(repr, found))}; "
            f"say which: [corpus] {ways}"
        )
    if found:
        return found[0]
    wanted = " or ".join(map(repr, text)) if text else "'text'"
    there = ", ".join(map(repr, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "")
    raise BadInput(
        f"expected a column {wanted} in {place}, found {there or 'nothing'}; "
        'name the column of the text: [corpus] text = "…"'
    )


def _document(row: dict[str, Any], text: Sequence[str], place: str, corpus: str) -> Document:
    said = [name for name, value in row.items() if value is not None]
    chosen = _chosen(said if _is_there(said, text) else list(row), text, place)
    title = _string(row, "title", place) or _string(row, "id", place)
    source, topic = _string(row, "source", place), _string(row, "topic", place)
    if chosen not in SHAPES:
        plain = _string(row, chosen, place, is_text=True)
        return Document(document_id(plain), corpus, title, source, topic, plain)
    try:
        readable, turns = structured(chosen, row)
    except BadInput as error:
        raise BadInput(f"{place}: {error}; mend it") from None
    return Document(document_id(turns), corpus, title, source, topic, readable, turns)


def _is_there(names: Sequence[str], text: Sequence[str]) -> bool:
    """Whether these columns hold something to learn from."""
    return any(each in names for each in text or ("text",)) or bool(shapes_of(names))


def _string(row: dict[str, Any], column: str, place: str, is_text: bool = False) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if not is_text and isinstance(value, int | float):
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

"""EDGE: reads the corpus, a row at a time: every text once, what was skipped is counted and named."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attribution.errors import BadInput
from indexer.corpus.corpus import COLUMNS, GROUP, TIMES, Mapped
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.given import corpus_name, found_files, place_name
from indexer.corpus.rows import rows
from indexer.corpus.shapes.columns import OPTIONAL, SHAPES, shapes_of, to_rename
from indexer.corpus.turns import structured
from indexer.journal.files import file_hash
from indexer.mapped.seen import Seen
from indexer.mapped.table import numbers as numbers_of
from indexer.mapped.table import unnamed

ABOUT = ("id", "title", "source", "topic")
SAID = {"empty": "empty skipped", "duplicate": "duplicate counted with the first"}
_NAMED = 3  # of each kind of skipped row in the report
_SHOWN = 12  # columns of a file that is refused
_FIELDS = attrgetter(*COLUMNS)
_TEXT, _NUMBER = pa.large_string(), pa.uint64()
_DOCUMENTS = pa.schema([*((name, _TEXT) for name in COLUMNS), ("number", _NUMBER), ("place", _TEXT)])
_OWN = pa.schema([("own", _TEXT), ("number", _NUMBER)])


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
class CorpusReading(Mapped):
    """Documents in the order of the files, each text once, and what is known of the rows that were left out."""

    hash: str  # of every field of every document
    own: pa.Table  # every row that has an `id` in the files: `own`, and the `number` of its document
    n_skipped: Mapping[str, int] = field(default_factory=dict)  # by reason
    named: tuple[Skipped, ...] = ()  # the first few of each reason, in the order of the rows
    sources: tuple[Source, ...] = ()
    read_as: tuple[str, ...] = ()  # the columns that the configuration prefers

    @property
    def n_seen(self) -> int:
        """Documents of the files, one that stands twice counted twice: that often it was trained on."""
        return len(self.documents) + self.n_skipped.get("duplicate", 0)

    def called(self, own_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The documents that have these ids in the files' column `id`, in the order of the rows."""
        found: dict[str, dict[str, None]] = {}
        wanted = pa.array(sorted(own_ids), type=pa.large_string())
        for batch in self.own.to_batches():
            mine = batch.filter(pc.is_in(batch.column("own"), value_set=wanted))
            for own, number in zip(mine.column("own").to_pylist(), mine.column("number").to_pylist(), strict=True):
                found.setdefault(own, {})[f"{number:016x}"] = None
        return {own: tuple(ids) for own, ids in found.items()}

    def report(self) -> list[str]:
        """Lines for the summary: how many documents, how many skipped and why, the first few named."""
        lines = [f"{len(self.documents):,} documents"]
        for reason, n in self.n_skipped.items():
            found = [skipped for skipped in self.named if skipped.reason == reason]
            if n:
                lines.append(f"{n:,} {SAID[reason]}: {', '.join(map(_name, found))}{_more(n)}")
        return lines


def read_corpus(
    files: Sequence[Path],
    text: Sequence[str] = (),
    groups: Sequence[str] = (),
    *,
    strict: bool = False,
    near: Path | None = None,
) -> CorpusReading:
    """Read documents from files, patterns and saved datasets (see indexer.corpus.given), and optionally id, title,
    source, topic of each. A row is in memory while it is read: documents are kept in a file without a name, on the
    disk of the folder `near`.

    text: the columns to read, the first that a file has; none: the column `text`, or what conversations are kept in
    (see indexer.corpus.turns).   groups: further columns, which documents are grouped by. A document without title
    takes its id as title. NUL and lone surrogates become U+FFFD before hashing. Raises BadInput for what cannot be
    read, for a file with both a text and a conversation or without a column of `groups`, for no document at all, and
    when `strict` for any empty or repeated one; TryAgain when the disk is full.
    """
    sources: list[Source] = []
    seen, total, skipped = Seen(), hashlib.sha256(), _Left()
    again: Counter[int] = Counter()  # of documents that stand in the files twice
    schema = pa.schema([*_DOCUMENTS, *((GROUP + column, _TEXT) for column in groups)])
    with unnamed(schema, near) as kept, unnamed(_OWN, near) as owned:
        for file in found_files(files):
            sources.append(_source(file))
            for place, row in _rows(file, text, groups):
                document = _document(row, text, place, corpus=storable(corpus_name(file)))
                if not document.text.strip():
                    skipped.add("empty", place)
                    continue
                number = int(document.document_id, 16)
                if seen.add(number):
                    fields = _FIELDS(document)
                    total.update(json.dumps(_said(fields)).encode("utf-8") + b"\n")
                    values = (_string(row, column, place) for column in groups)
                    kept.add((*fields, number, storable(place), *values))
                else:
                    skipped.add("duplicate", place, number)
                    again[number] += 1
                if own := _string(row, "id", place):
                    owned.add((own, number))
        table, own_ids = kept.table(), owned.table()
    named = skipped.named(table)
    if strict and named:
        found = ", ".join(f"{each.reason} at {_name(each)}" for each in named[:_NAMED])
        more = _more(sum(skipped.n.values()))
        raise BadInput(f"expected every document once and none empty, found {found}{more}; remove them")
    if not len(table):
        names = ", ".join(file.name for file in files) or "no file"
        raise BadInput(f"expected at least one document with text, found none in {names}; give a corpus")
    if again:
        table = _with_times(table, again)
    return CorpusReading(table, total.hexdigest()[:16], own_ids, skipped.n, named, tuple(sources), tuple(text))


def _rows(file: Path, text: Sequence[str], groups: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All rows; raises BadInput where a column of `groups` is in none of them."""
    name = place_name(file)
    lacking, there = dict.fromkeys(groups), dict[str, None]()
    for place, row in rows(file, partial(_columns, text=text, groups=groups, place=name)):
        if lacking:  # of JSON, where a row may have what those before it do not
            there |= dict.fromkeys(row)
            lacking = dict.fromkeys(column for column in lacking if column not in row)
        yield place, row
    if there:
        _check_groups(list(there), list(lacking), name)


def _check_groups(there: Sequence[str], lacking: Sequence[str], place: str) -> None:
    for column in lacking:
        raise BadInput(
            f"expected a column {column!r} in {place}, found {_named_columns(there)}; [groups] by names it: "
            "take it out there, or add it to the file"
        )


def _named_columns(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (" …" if len(names) > _SHOWN else "") or "nothing"


def _with_times(table: pa.Table, again: Mapping[int, int]) -> pa.Table:
    """The table with how often each document stands in the files.    again: number -> after the first time"""
    numbers = numbers_of(table.column("number"))
    times = np.ones(len(numbers), dtype=np.int32)
    wanted = np.array(sorted(again), dtype=np.uint64)
    at = np.flatnonzero(np.isin(numbers, wanted))
    times[at] += np.array([again[int(number)] for number in numbers[at]], dtype=np.int32)
    chunks = np.split(times, np.cumsum([len(chunk) for chunk in table.column("number").chunks])[:-1])
    return table.append_column(TIMES, pa.chunked_array([pa.array(chunk) for chunk in chunks]))


class _Left:
    """The rows that are no documents: how many of each reason, and the first of them."""

    def __init__(self) -> None:
        self.n = {"empty": 0, "duplicate": 0}
        self._first: list[tuple[str, str, int]] = []

    def add(self, reason: str, place: str, number: int = -1) -> None:
        self.n[reason] += 1
        if self.n[reason] <= _NAMED:
            self._first.append((place, reason, number))

    def named(self, table: pa.Table) -> tuple[Skipped, ...]:
        """With the place of the document that a duplicate repeats."""
        numbers = numbers_of(table.column("number"))
        return tuple(
            Skipped(place, reason)
            if number < 0
            else Skipped(place, reason, table.column("place")[int(np.flatnonzero(numbers == number)[0])].as_py())
            for place, reason, number in self._first
        )


def _source(file: Path) -> Source:
    try:
        about = file.stat()
        return Source(place_name(file), file_hash(file), about.st_size, about.st_mtime_ns)
    except OSError:  # what is wrong with it is said by whoever reads it
        return Source(place_name(file), "", 0, 0)


def _said(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Of a plain document without `turns`: the hash of a corpus of such is what it was before there were others."""
    return fields if fields[-1] else fields[:-1]


def _columns(names: Sequence[str], text: Sequence[str], groups: Sequence[str], place: str) -> list[str]:
    """Which columns of a file are read."""
    _check_groups(names, [column for column in groups if column not in names], place)
    chosen = _chosen(names, text, place)
    wanted = (*SHAPES.get(chosen, (chosen,)), *OPTIONAL.get(chosen, ()), *ABOUT, *groups)
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
    hint = "" if text else to_rename(names)
    raise BadInput(
        f"expected a column {wanted} in {place}, found {_named_columns(names)}; "
        + (hint or 'name the column of the text: [corpus] text = "…"')
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


def _name(skipped: Skipped) -> str:
    return f"{skipped.place} (as {skipped.of})" if skipped.of else skipped.place


def _more(n: int) -> str:
    return f" and {n - _NAMED:,} more" if n > _NAMED else ""

"""What one stage of training read: a table on disk, of the files as they are now (`reader`) or as a build left them
(`stored`)."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from indexer.corpus.document import Document
from indexer.corpus.turns import PAIR
from indexer.mapped.table import numbers as numbers_of

T = TypeVar("T")
Numbers = NDArray[np.uint64]
Times = NDArray[np.int32]
COLUMNS = tuple(field.name for field in fields(Document))
TIMES = "times"  # a column of corpora in which a document stands twice
OWN = ("corpus", "title", "source", "topic")  # of a document, that it can be grouped by
GROUP = "group:"  # begins the name of a column that only groups are made of
_ID = re.compile(r"[0-9a-f]{16}")


class Corpus(Protocol):
    """Documents in the order of all indices."""

    @property
    def hash(self) -> str:
        """Of every field of every document."""

    @property
    def documents(self) -> Sequence[Document]: ...

    @property
    def numbers(self) -> Numbers:
        """The ids of the documents as numbers  # [D]"""

    @property
    def times(self) -> Times:
        """How often each document stands in the files: that often it was trained on  # [D]"""

    @property
    def n_seen(self) -> int:
        """Documents of the files, one that stands twice counted twice."""

    @property
    def n_pairs(self) -> int:
        """Documents that are pairs of a chosen and a rejected answer."""

    @property
    def has_turns(self) -> bool:
        """Whether a document is made of anything but plain text."""

    def labels(self, column: str) -> "Labels":
        """What every document has in a column that it can be grouped by."""


@dataclass(frozen=True)
class Labels:
    """Values of a column, each once, and which of them every document has."""

    values: tuple[str, ...]
    of: NDArray[np.int64]  # [D] places among the values


def grouping(by: Sequence[str]) -> tuple[str, ...]:
    """Of the columns that documents are grouped by, those that a document does not have and a file must."""
    return tuple(dict.fromkeys(column for column in by if column not in OWN))


@dataclass(frozen=True)
class Mapped:
    """Documents of a table that is mapped, not read: a column for each field, `number`, and
    perhaps `times`."""

    table: pa.Table

    @cached_property
    def documents(self) -> Sequence[Document]:
        columns = [self.table.column(name) for name in COLUMNS if name in self.table.column_names]
        return Lazy(len(self.table), lambda i: Document(*(column[i].as_py() for column in columns)))

    @cached_property
    def has_turns(self) -> bool:
        """Whether a document is made of anything but plain text."""
        column = self.table.column("turns") if "turns" in self.table.column_names else pa.chunked_array([], pa.string())
        return any(pc.any(pc.not_equal(each, "")).as_py() for each in column.chunks)

    @cached_property
    def numbers(self) -> Numbers:
        """The ids as numbers  # [D]"""
        made: Numbers = numbers_of(self.table.column("number"))
        return made

    @cached_property
    def times(self) -> Times:
        """How often each document stands in the files  # [D]"""
        if TIMES not in self.table.column_names:
            return np.broadcast_to(np.int32(1), len(self.table))
        made: Times = numbers_of(self.table.column(TIMES))
        return made

    def labels(self, column: str) -> Labels:
        """What every document has in a column that it can be grouped by, in the order in which it first comes."""
        found = self.table.column(column if column in OWN else GROUP + column).combine_chunks()
        coded = (found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found).dictionary_encode()
        return Labels(tuple(coded.dictionary.to_pylist()), coded.indices.to_numpy().astype(np.int64))

    @property
    def grouped_by(self) -> tuple[str, ...]:
        """The columns of the files that were kept for groups alone."""
        return tuple(name.removeprefix(GROUP) for name in self.table.column_names if name.startswith(GROUP))

    @cached_property
    def n_pairs(self) -> int:
        """Documents that are pairs of a chosen and a rejected answer."""
        if "turns" not in self.table.column_names:
            return 0
        return int(pc.sum(pc.starts_with(self.table.column("turns"), PAIR)).as_py() or 0)


def repeats(corpus: Corpus) -> str:
    """Hash of the documents that stand in the files more than once, and how often; "" where none does."""
    at = np.flatnonzero(corpus.times > 1)
    if not len(at):
        return ""
    about = corpus.numbers[at].tobytes() + np.asarray(corpus.times[at], dtype=np.int64).tobytes()
    return hashlib.sha256(about).hexdigest()[:16]


def labels_hash(corpus: Corpus, columns: Sequence[str]) -> str:
    """Hash of what every document has in these columns; "" for none."""
    if not columns:
        return ""
    total = hashlib.sha256()
    for column in columns:
        of = corpus.labels(column)
        total.update(json.dumps([column, of.values]).encode() + of.of.tobytes())
    return total.hexdigest()[:16]


class Lazy(Sequence[T]):
    """n things, each made when it is asked for."""

    def __init__(self, n: int, make: Callable[[int], T]) -> None:
        self._n, self._make = n, make

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> list[T]: ...

    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            return [self._make(i) for i in range(self._n)[at]]
        return self._make(range(self._n)[int(at)])


def joined(first: Sequence[T], second: Sequence[T]) -> Sequence[T]:
    """All of the first, then all of the second; neither is read."""
    n = len(first)
    return Lazy(n + len(second), lambda i: first[i] if i < n else second[i - n])


def as_numbers(document_ids: Iterable[str]) -> Numbers:
    """An id is 16 hex digits: 8 bytes, and quickly found among many  # [D]"""
    return np.fromiter((int(each, 16) for each in document_ids), dtype=np.uint64)


def as_ids(numbers: Numbers) -> Sequence[str]:
    """The ids that these numbers are of."""
    return Lazy(len(numbers), lambda i: f"{int(numbers[i]):016x}")


def as_seen(corpus: Corpus) -> Sequence[Document]:
    """Every document as often as training sees it."""
    if not (corpus.times > 1).any():
        return corpus.documents
    at = np.repeat(np.arange(len(corpus.times)), corpus.times)
    return Lazy(len(at), lambda i: corpus.documents[int(at[i])])


def known(corpus: Corpus, document_ids: Iterable[str]) -> set[str]:
    """Those of these ids that a document has; what is no id of Whence has none."""
    named = sorted({each for each in document_ids if _ID.fullmatch(each)})
    if not named:
        return set()
    wanted = as_numbers(named)  # in order too; the documents, which may be many more, are not sorted for it
    nearest = np.minimum(np.searchsorted(wanted, corpus.numbers), len(wanted) - 1)
    there = np.bincount(nearest[wanted[nearest] == corpus.numbers], minlength=len(wanted))
    return {each for each, n in zip(named, there.tolist(), strict=True) if n}

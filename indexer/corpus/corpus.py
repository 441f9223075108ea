"""What one stage of training read, whether all of it is at hand (`reader`) or lies as a build left it (`stored`)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from indexer.corpus.document import Document

T = TypeVar("T")
Numbers = NDArray[np.uint64]


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
    def n_seen(self) -> int:
        """Documents of the files, one that stands twice counted twice."""


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

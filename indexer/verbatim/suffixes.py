"""A suffix array over numbers, and the longest spans of a question that stand in it. Pure.

order    the places of all suffixes of a text, in the order of their numbers
         (Manber and Myers 1993; built by divsufsort, Fischer and Kurpicz 2017)

A place is found by bisection, all beginnings of a question side by side. 0 separates what no span may cross: a question
holds none.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydivsufsort import divsufsort

Numbers = NDArray[np.unsignedinteger]
Places = NDArray[np.int32]

SEPARATOR = 0
PIECE = 1 << 22  # places that are sorted out at once
COMPARED = 16  # numbers that are compared at once


def narrow(largest: int) -> type[np.unsignedinteger]:
    """The narrowest type of numpy that holds these numbers."""
    return np.uint16 if largest < 1 << 16 else np.uint32


def suffix_order(text: Numbers) -> Places:
    """The places of all suffixes, in lexicographic order  # [n]

    divsufsort orders bytes: every number is written as bytes of one width, the highest first, so that the order of
    bytes that begin a number is that of the numbers. Takes 5 · width + 4 bytes a number beside the text.
    """
    width = max(1, (int(text.max(initial=0)).bit_length() + 7) // 8)
    as_bytes = np.ascontiguousarray(text.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - width :]).reshape(-1)
    every = divsufsort(as_bytes) if len(as_bytes) else np.zeros(0, dtype=np.int32)
    order = np.empty(len(text), dtype=np.int32)
    n = 0
    for start in range(0, len(every), PIECE):
        some = every[start : start + PIECE]
        some = some[some % width == 0]
        order[n : n + len(some)] = some // width
        n += len(some)
    return order


class Suffixes:
    """A text that can be searched; both arrays may be mapped from a file."""

    def __init__(self, text: Numbers, order: Places) -> None:
        self._text, self._order = text, order

    def longest(self, asked: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many numbers from each place of the question on stand together in the text  # [K]

        asked: [K], none of them 0
        """
        firsts = np.arange(len(asked))
        left = len(asked) - firsts
        at = self._bisect(asked, firsts, left, np.zeros(len(asked), dtype=bool))
        found = np.zeros(len(asked), dtype=np.int64)
        for neighbour in (at - 1, at):  # the suffix that has most in common stands beside the place of the question
            there = np.flatnonzero((neighbour >= 0) & (neighbour < len(self._order)))
            places = self._order[neighbour[there]].astype(np.int64)
            common, _ = self._compared(places, asked, firsts[there], left[there])
            found[there] = np.maximum(found[there], common)
        return found

    def places(self, asked: NDArray[np.int64], spans: Sequence[tuple[int, int]]) -> list[Places]:
        """Where each span [first, last] of the question stands, in no order."""
        firsts = np.array([first for first, _ in spans], dtype=np.int64)
        lengths = np.array([last + 1 - first for first, last in spans], dtype=np.int64)
        after = np.arange(2 * len(spans)) >= len(spans)  # both ends at once
        ends = self._bisect(asked, np.tile(firsts, 2), np.tile(lengths, 2), after).reshape(2, -1)
        return [self._order[a:b] for a, b in ends.T.tolist()]

    def _bisect(
        self,
        asked: NDArray[np.int64],
        firsts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        after: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """The place in the order of each span of the question, `after` all suffixes that begin with it  # [M]"""
        low, high = np.zeros(len(firsts), dtype=np.int64), np.full(len(firsts), len(self._order), dtype=np.int64)
        while (some := np.flatnonzero(low < high)).size:
            middle = (low[some] + high[some]) // 2
            places = self._order[middle].astype(np.int64)
            common, less = self._compared(places, asked, firsts[some], lengths[some])
            beyond = less | ((common == lengths[some]) & after[some])
            low[some] = np.where(beyond, middle + 1, low[some])
            high[some] = np.where(beyond, high[some], middle)
        return low

    def _compared(
        self,
        places: NDArray[np.int64],
        asked: NDArray[np.int64],
        firsts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """How many numbers a suffix and a span have in common, and whether the suffix comes first  # [M]"""
        common, less = np.zeros(len(places), dtype=np.int64), np.zeros(len(places), dtype=bool)
        open_ = np.arange(len(places))
        while open_.size:
            ahead = common[open_, None] + np.arange(COMPARED)  # [m, COMPARED]
            inside = ahead < lengths[open_, None]
            wanted = asked[np.where(inside, firsts[open_, None] + ahead, 0)]
            at = places[open_, None] + ahead
            there = self._text[np.minimum(at, len(self._text) - 1)].astype(np.int64)
            there[at >= len(self._text)] = -1  # the end comes before everything
            same = (wanted == there) & inside
            n = np.where(same.all(axis=1), COMPARED, same.argmin(axis=1))
            common[open_] += n
            ended = (n < COMPARED) | (common[open_] == lengths[open_])
            differs = np.flatnonzero(ended & (common[open_] < lengths[open_]))
            less[open_[differs]] = there[differs, n[differs]] < wanted[differs, n[differs]]
            open_ = open_[~ended]
        return common, less

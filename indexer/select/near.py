"""Near duplicates among texts that are kept one after the other: pure, exact.

A text is the set of its shingles, runs of `SHINGLE` words; two are alike where they share `ALIKE` of all that either
has (Jaccard). Texts A and B that are alike share at least ⌈ALIKE · |A|⌉ shingles, so that, in any one order of all
shingles, they share one of the first |A| − ⌈ALIKE · |A|⌉ + 1 of A and of as many of B (Chaudhuri et al. 2006): only
texts that do are compared.
"""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from indexer.search.words import words

SHINGLE = 3  # words
ALIKE = 0.5  # of the shingles of both

Shingles = NDArray[np.uint64]  # ascending


def shingles(text: str) -> Shingles:
    """Hashes of every run of words, folded; of a text with fewer, of all its words; of a text without words, of itself
    without white space at its ends. The order of hashes is random."""
    terms = [word.term for word in words(text, exact=True) if not word.whole]
    runs = (
        {" ".join(terms[i : i + SHINGLE]) for i in range(max(1, len(terms) - SHINGLE + 1))} if terms else {text.strip()}
    )
    hashed = (hashlib.blake2b(run.encode(), digest_size=8).digest() for run in runs)
    return np.sort(np.array([int.from_bytes(each, "big") for each in hashed], dtype=np.uint64))


def likeness(one: Shingles, other: Shingles) -> float:
    """Jaccard: shared by both, of all that either has."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)


class Kept:
    """Texts under names; each new one is compared with those that are kept."""

    def __init__(self, alike: float = ALIKE) -> None:
        self._alike = alike
        self._names: list[str] = []
        self._texts: list[Shingles] = []
        self._by_first: dict[int, list[int]] = {}

    def like(self, asked: Shingles) -> str | None:
        """The name of the kept text that is most alike, the first of several; None where none is alike."""
        near = sorted({i for each in self._first(asked) for i in self._by_first.get(each, ())})
        found = [(likeness(asked, self._texts[i]), i) for i in near]
        best = max(found, key=lambda each: (each[0], -each[1]), default=(0.0, -1))
        return self._names[best[1]] if best[0] >= self._alike else None

    def keep(self, name: str, of: Shingles) -> None:
        for each in self._first(of):
            self._by_first.setdefault(each, []).append(len(self._names))
        self._names.append(name)
        self._texts.append(of)

    def _first(self, of: Shingles) -> list[int]:
        n = len(of) - math.ceil(self._alike * len(of)) + 1
        first: list[int] = of[:n].tolist()
        return first

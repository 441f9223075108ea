"""What several tokens of an answer say together, as targets of their own: its words, and the whole answer. Pure.

f = log p of a span = Σ log p of its tokens, so its direction is the sum of theirs
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.search.words import words

WORD, ANSWER = "word", "answer"
_APOSTROPHES = ("'", "’")


@dataclass(frozen=True)
class Span:
    """Tokens `first` … `last` of an answer, both included, for the characters [start, stop) of its text."""

    kind: str  # WORD or ANSWER
    first: int
    last: int
    start: int
    stop: int

    @property
    def tokens(self) -> range:
        return range(self.first, self.last + 1)


def spans(text: str, tokens: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    """Words in order, then the whole answer, whose tokens at the end that add no text, as one that ends it, are left
    out. A word is what the text index takes for one; of a script without spaces, a pair of neighbours. Its tokens are
    those that add some of its characters: a token may belong to two words, and of two words with the same tokens the
    first stands for both.

    tokens: characters of the text that each token adds, one at least
    """
    found: dict[tuple[int, int], Span] = {}
    for start, stop in _words(text):
        inside = [k for k, (a, b) in enumerate(tokens) if a < stop and b > start]
        if inside:
            found.setdefault((inside[0], inside[-1]), Span(WORD, inside[0], inside[-1], start, stop))
    last = max((k for k, (a, b) in enumerate(tokens) if b > a), default=len(tokens) - 1)
    return (*found.values(), Span(ANSWER, 0, last, tokens[0][0], tokens[last][1]))


def together(of: Sequence[Span]) -> list[range]:
    """Tokens of the spans that have more than one, each once; those of one are asked for already."""
    return list(dict.fromkeys(span.tokens for span in of if span.first < span.last))


def summed(values: NDArray[np.float32], of: Sequence[Span], once: range = range(0)) -> NDArray[np.float32]:
    """Of each span the sum over its tokens; what is linear in the query is so known of it.    [K, ..] -> [S, ..]

    once: tokens that are asked for as one, and have one row each all the same
    """
    return np.stack([values[numbers(span.tokens, once)].sum(axis=0) for span in of])


def numbers(tokens: range, once: range) -> list[int]:
    """Of some tokens those whose rows are numbers of their own: of those `once` the first one stands for all."""
    inside = [k for k in tokens if k in once]
    return [k for k in tokens if k not in once or k == inside[0]]


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Characters of each word; those around an apostrophe are one."""
    places: dict[int, tuple[int, int]] = {}
    for word in words(text, of_query=True, exact=True):
        places.setdefault(word.place, (word.start, word.stop))  # the whole of snake_case, before its parts
    found: list[tuple[int, int]] = []
    for start, stop in places.values():
        if found and stop <= found[-1][1]:
            continue  # a part of what stands already, or the last sign of a pair
        if found and text[found[-1][1] : start] in _APOSTROPHES:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    yield from found

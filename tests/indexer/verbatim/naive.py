"""The same questions answered by looking at every place, one after the other."""

from collections.abc import Sequence


def occurs(texts: Sequence[Sequence[int]], span: Sequence[int]) -> list[tuple[int, int]]:
    """(text, place) of every occurrence."""
    n = len(span)
    return [
        (t, i) for t, text in enumerate(texts) for i in range(len(text) - n + 1) if list(text[i : i + n]) == list(span)
    ]


def longest_spans(
    texts: Sequence[Sequence[int]], asked: Sequence[int], shortest: int
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """(first, last) of the spans that no other span that occurs holds -> where."""
    found = {}
    for first in range(len(asked)):
        for last in range(first, len(asked)):
            where = occurs(texts, asked[first : last + 1])
            if not where:
                break
            found[first, last] = where
    return {
        (a, b): where
        for (a, b), where in found.items()
        if b + 1 - a >= shortest and not any(c <= a and b <= d and (a, b) != (c, d) for c, d in found)
    }

"""How a long text was cut into the windows in which the model read it.

A window is read alone: it begins without memory, so nothing predicts its first token, which is read only. With an
overlap the tokens that the window before has read come again, to be read and not learned.
"""

from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """Tokens of a window, how many of them are from the window before, and what becomes of what does not fit into the
    first: `cut` drops it, as training that truncates does."""

    size: int
    overlap: int = 0
    cut: bool = False


def windows_of(n: int, how: Windows) -> list[tuple[Range, int]]:
    """Of n tokens: which of them each window reads, and the first of these that it learns (none before has).

    A text that fits is one window. Raises ValueError for an overlap that leaves a window nothing new.
    """
    if not 0 <= how.overlap < how.size:
        raise ValueError(f"expected an overlap below the window of {how.size} tokens, found {how.overlap}")
    if n <= how.size or how.cut:
        return [((0, min(n, how.size)), 0)]
    found, start = [], 0
    while True:
        stop = min(start + how.size, n)
        found.append(((start, stop), start + how.overlap if start else 0))
        if stop == n:
            return found
        start = stop - how.overlap

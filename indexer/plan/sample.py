"""The documents that stand for all in a measurement: whole batches from short to long, few tokens of them: pure."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from attribution.passes.batches import Row, plan_batches

T = TypeVar("T")

BATCHES = 4  # of documents that are measured on
SHORTEST = 16  # tokens of a document that is cut short to be measured on


def limited(some: Sequence[Row], most: int) -> list[Row]:
    """Of these, the middle ones by length, `most` tokens at most; the first windows of one, the very first cut short,
    where it alone has more."""
    ordered = sorted(some, key=len)
    if sum(map(len, ordered)) <= most:
        return list(some)
    kept, left, middle = [], most, len(ordered) // 2
    for row in ordered[middle:]:
        if len(row) > left:
            break
        kept.append(row)
        left -= len(row)
    return kept or [_begun(ordered[middle], max(SHORTEST, most))]


def _begun(row: Row, most: int) -> Row:
    """As many of its first windows as have `most` tokens, the very first cut short where it alone has more; all of a
    pair, and every token learned: it is measured, not scored."""
    if row.preference is not None:
        return row
    n = max(1, int(np.count_nonzero(np.cumsum(row.widths) <= most)))
    widths = tuple(min(width, most) for width in row.widths[:n])
    return Row(row.ids[: sum(widths)], windows=widths if n > 1 else ())


def sample(rows: Sequence[Row]) -> list[Row]:
    """Whole batches of a pass over all rows, evenly from the shortest to the longest: as much padding as there."""
    return [rows[i] for batch in evenly(plan_batches(rows), BATCHES) for i in batch]


def evenly(of: Sequence[T], n: int) -> list[T]:
    """At most n of them, the middle ones of as many equal stretches."""
    n = min(n, len(of))
    return [of[(2 * i + 1) * len(of) // (2 * n)] for i in range(n)]

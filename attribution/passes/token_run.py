"""The token ids of some documents one after the other, as they lie on the disk: numbers, and no object for each."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.passes.batches import Row

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class TokenRun:
    """D documents of W windows and T tokens."""

    ids: Numbers  # [T]
    widths: Numbers  # [W] tokens of each window
    windows: Numbers  # [D] windows of each document


def run_of(rows: Iterable[Row]) -> TokenRun:
    """The same of documents that are no table."""
    ids: list[Numbers] = [np.zeros(0, dtype=np.int32)]
    widths: list[int] = []
    windows: list[int] = []
    for row in rows:
        ids.append(np.array(row.ids, dtype=np.int32))
        widths += row.widths
        windows.append(len(row.widths))
    return TokenRun(np.concatenate(ids), np.array(widths, dtype=np.int32), np.array(windows, dtype=np.int32))

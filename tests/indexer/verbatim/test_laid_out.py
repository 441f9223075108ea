"""The text under a suffix array against one that is written down token by token."""

import numpy as np
import pytest

from attribution.passes.batches import Row
from attribution.passes.token_run import run_of
from indexer.verbatim.arrays import laid_out
from indexer.verbatim.suffixes import SEPARATOR

ROWS = [Row((3, 1, 4)), Row((1, 5, 9, 2, 6), windows=(2, 2, 1)), Row((5,)), Row((3, 5, 8, 9), windows=(1, 3))]


@pytest.mark.parametrize("first", [0, 7])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_windows_stand_after_a_separator_each(rows, first):
    text, starts, documents, offsets = [], [], [], []
    for number, row in enumerate(rows, start=first):
        begin = 0
        for width in row.widths:
            text.append(SEPARATOR)
            starts.append(len(text))
            documents.append(number)
            offsets.append(begin)
            text += [i + 1 for i in row.ids[begin : begin + width]]
            begin += width
    found, windows = laid_out(run_of(rows), first, largest=70_000)
    assert found.tolist() == text
    assert [each.tolist() for each in windows] == [starts, documents, offsets]
    assert [each.dtype for each in (found, *windows)] == [np.uint32, np.int64, np.int32, np.int32]

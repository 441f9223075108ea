"""Windows: every token is read, and learned once at most; what comes again is only read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.trained.windows import Windows, windows_of


@given(n=st.integers(1, 60), size=st.integers(1, 12), overlap=st.integers(0, 11))
def test_every_token_is_new_in_exactly_one_window(n, size, overlap):
    how = Windows(size, overlap % size)
    found = windows_of(n, how)
    new = [i for (_, stop), first in found for i in range(first, stop)]
    assert new == list(range(n))
    assert all(0 < stop - start <= size for (start, stop), _ in found)
    for ((_, before), _), ((start, _), _) in zip(found, found[1:], strict=False):
        assert before - start == how.overlap


def test_what_is_cut_is_not_read():
    assert windows_of(10, Windows(4, cut=True)) == [((0, 4), 0)]
    assert windows_of(3, Windows(4, cut=True)) == windows_of(3, Windows(4)) == [((0, 3), 0)]


def test_an_overlap_leaves_something_new():
    with pytest.raises(ValueError, match="overlap below the window"):
        windows_of(9, Windows(4, 4))

"""Suffix arrays against sorting and against looking at every place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.verbatim import suffixes
from indexer.verbatim.found import longest_spans
from indexer.verbatim.suffixes import Suffixes, narrow, suffix_order
from tests.indexer.verbatim import naive

NUMBERS = st.lists(st.integers(0, 3), max_size=40)


def as_text(numbers, scale=1):
    numbers = np.array(numbers, dtype=np.int64) * scale
    return numbers.astype(narrow(int(numbers.max(initial=0))))


@pytest.mark.parametrize("scale", [1, 80, 20_000, 5_000_000])  # numbers of one to four bytes
@given(numbers=NUMBERS)
def test_the_order_is_that_of_sorted_suffixes(scale, numbers):
    text = as_text(numbers, scale)
    expected = sorted(range(len(text)), key=lambda i: text[i:].tolist())
    assert suffix_order(text).tolist() == expected


def test_the_order_does_not_depend_on_pieces(monkeypatch):
    text = as_text(np.random.default_rng(0).integers(0, 1000, 500), 7)
    expected = suffix_order(text)
    monkeypatch.setattr(suffixes, "PIECE", 7)
    np.testing.assert_array_equal(suffix_order(text), expected)


@given(
    numbers=NUMBERS, asked=st.lists(st.integers(1, 4), min_size=1, max_size=12), compared=st.sampled_from([1, 3, 16])
)
def test_what_is_found_is_what_looking_everywhere_finds(numbers, asked, compared):
    before, suffixes.COMPARED = suffixes.COMPARED, compared
    try:
        text, question = as_text(numbers), np.array(asked)
        array = Suffixes(text, suffix_order(text))
        longest = array.longest(question)
        for k, n in enumerate(longest.tolist()):
            assert n == 0 or naive.occurs([numbers], asked[k : k + n])
            assert k + n == len(asked) or not naive.occurs([numbers], asked[k : k + n + 1])
        spans = longest_spans(longest, 1)
        expected = naive.longest_spans([numbers], asked, 1)
        assert spans == sorted(expected)
        for span, places in zip(spans, array.places(question, spans), strict=True):
            assert sorted(places.tolist()) == [place for _, place in expected[span]]
    finally:
        suffixes.COMPARED = before


def test_spans_of_any_kind_are_placed():
    numbers = [1, 2, 1, 2, 3, 0, 1, 2]
    array = Suffixes(as_text(numbers), suffix_order(as_text(numbers)))
    found = array.places(np.array([1, 2, 3, 9]), [(0, 1), (0, 2), (3, 3), (1, 1)])
    assert [sorted(of.tolist()) for of in found] == [[0, 2, 6], [2], [], [1, 3, 7]]


def test_an_empty_text_holds_nothing():
    array = Suffixes(as_text([]), suffix_order(as_text([])))
    assert array.longest(np.array([1, 2])).tolist() == [0, 0]
    assert [len(of) for of in array.places(np.array([1, 2]), [(0, 1)])] == [0]

"""The passage that stands for a long text: the hottest stretch, against all stretches, and what surrounds it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard.drawing.passage import Range, hottest, passage


@st.composite
def weighed(draw: st.DrawFn) -> tuple[list[Range], list[float]]:
    """Tokens apart from each other, some without weight."""
    spans, weights, at = [], [], 0
    for _ in range(draw(st.integers(0, 14))):
        at += draw(st.integers(0, 3))
        stop = at + draw(st.integers(1, 6))
        spans.append((at, stop))
        weights.append(float(draw(st.integers(0, 4))))
        at = stop
    return spans, weights


@given(weighed(), st.integers(1, 30))
def test_input_45_no_stretch_of_that_length_is_hotter(given_: tuple[list[Range], list[float]], length: int) -> None:
    spans, weights = given_
    found = hottest(spans, weights, length)
    sums = {
        (i, j): sum(weights[i : j + 1])
        for i in range(len(spans))
        for j in range(i, len(spans))
        if spans[j][1] - spans[i][0] <= length or i == j
    }
    best = max(sums.values(), default=0.0)
    if best == 0:
        assert found is None
        return
    assert found is not None
    first = next(i for i, span in enumerate(spans) if span[0] == found[0])
    last = next(j for j, span in enumerate(spans) if span[1] == found[1])
    assert sums[first, last] == best
    assert weights[first] and weights[last]


WORDS = ["Whales", "are", "mammals", "of", "the", "sea.", "They", "breathe", "air!", "And", "sing?"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=120), st.integers(0, 119), st.integers(40, 120))
def test_input_45_the_hot_word_stands_among_whole_words(said: list[str], at: int, longest: int) -> None:
    text = " ".join(said)
    spans = [(found.start(), found.end()) for found in re.finditer(r"\S+", text)]
    at = min(at, len(spans) - 1)
    start, stop = passage(text, spans, [float(i == at) for i in range(len(spans))], longest)
    assert start <= spans[at][0] and spans[at][1] <= stop
    assert stop - start <= longest
    assert start == 0 or text[start - 1] == " "
    assert stop == len(text) or text[stop] == " "
    if len(text) > longest and start > 0 and stop < len(text):
        assert stop - start > longest // 2  # there is much around it


def test_input_45_sentences_are_kept_whole_where_they_fit() -> None:
    before = "The sea is wide and deep. " * 20
    text = before + "Ice floats on water. " + "Rain falls in spring. " * 20
    at = text.index("floats")
    start, stop = passage(text, [(at, at + 6)], [1.0], 200)
    assert text[start:stop].startswith("The sea is wide")
    assert text[start:stop].endswith("Rain falls in spring.")
    assert "Ice floats on water." in text[start:stop]


def test_without_heat_it_is_the_beginning() -> None:
    text = "One sentence here. " * 30
    assert passage(text, [(0, 3)], [0.0], 100) == (0, 5 * len("One sentence here. ") - 1)
    assert passage("short", [], [], 100) == (0, 5)


def test_a_script_without_blanks_is_cut_somewhere() -> None:
    text = "漢" * 1000
    start, stop = passage(text, [(500, 501)], [1.0], 100)
    assert start <= 500 < stop and stop - start == 100

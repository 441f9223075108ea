"""What the strip and the lists are sent, for any text and any number: JSON, bounded, every token there once."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboard.address.choices import SHADES
from dashboard.database.records import Token
from dashboard.drawing.payload import answer_data, card_data, size_token_data, strip_token_data
from dashboard.drawing.shading import available, shade_answer, shade_by_document
from dashboard.drawing.shapes import Answer, Card, CardLine, Heated, SizeToken, StripToken
from dashboard.drawing.visible import LONGEST_TEXT, LONGEST_TOKEN, visible

TEXT = st.text(st.characters(codec=None), max_size=300)  # lone surrogates too
ANY = st.floats()  # NaN and infinities too
MAYBE = st.none() | ANY
AMOUNT = st.none() | st.floats(-1, 1)
SPELLED = len("⟨U+10FFFF⟩")  # the most that one character becomes


def sent(data: Any) -> str:
    """As Streamlit sends it; NaN and infinity are no JSON, and a browser refuses the whole message."""
    message = json.dumps(data, allow_nan=False, ensure_ascii=False)
    message.encode()  # no lone surrogate
    assert not any(0xD800 <= ord(char) < 0xE000 or char in "\u202e\u200b\x00" for char in message)
    return message


@st.composite
def tokens(draw: st.DrawFn) -> list[Token]:
    n = draw(st.integers(0, 6))
    return [
        Token(i, draw(TEXT), i, i + 1, draw(ANY), draw(TEXT), draw(ANY), *(draw(MAYBE) for _ in range(5)))
        for i in range(n)
    ]


@given(TEXT, AMOUNT, st.sampled_from(["+", "−", ""]))
def test_a_token_of_the_strip(text: str, amount: float | None, sign: str) -> None:
    data = strip_token_data(StripToken(text, amount, amount is not None, sign, "words"))
    sent(data)
    assert data["v"] == amount
    assert data["text"]  # something to click on
    assert len(data["text"]) <= LONGEST_TOKEN * SPELLED + 20
    assert data["text"].startswith(visible(text[:LONGEST_TOKEN])) if text else data["text"] == "end of text"


@given(st.data())
def test_the_shading_has_one_finite_amount_for_each_token(data: st.DataObject) -> None:
    answer = data.draw(tokens())
    strengths = data.draw(st.dictionaries(st.integers(0, 6), ANY, max_size=6))
    for name in [*SHADES, *available(answer, strengths), "unknown"]:
        for shading in (shade_answer(name, answer, strengths), shade_by_document(answer, strengths)):
            assert len(shading.amounts) == len(shading.words) == len(shading.signs) == len(answer)
            for amount in shading.amounts:
                assert amount is None or (math.isfinite(amount) and -1 <= amount <= 1)
            sent([strip_token_data(StripToken(t.text, a)) for t, a in zip(answer, shading.amounts, strict=True)])


@given(st.lists(st.tuples(TEXT, AMOUNT), max_size=8), TEXT, TEXT)
def test_a_card_is_bounded_and_in_order(pieces: list[tuple[str, float | None]], title: str, where: str) -> None:
    data = card_data(Card("d", title, where, [Heated(*piece) for piece in pieces], badges=((title, True),)))
    sent(data)
    assert "".join(text for text, _ in data["pieces"]) == "".join(visible(text) for text, _ in pieces)
    assert data["notice"] == ""


@given(st.integers(1, 4), st.integers(LONGEST_TEXT // 2, 2 * LONGEST_TEXT))
def test_a_long_card_is_cut_and_says_so(n: int, length: int) -> None:
    data = card_data(Card("d", "t", "w", [Heated("x" * length)] * n))
    shown = sum(len(text) for text, _ in data["pieces"])
    assert shown == min(n * length, LONGEST_TEXT)
    assert bool(data["notice"]) == (n * length > LONGEST_TEXT)


@given(st.integers(1, 4), st.integers(LONGEST_TEXT // 2, 2 * LONGEST_TEXT))
def test_the_lines_of_a_card_are_cut_together(n: int, length: int) -> None:
    line = CardLine([Heated("x" * length, 0.5)], "5 %", 0.05, "of all")
    data = card_data(Card("d", "t", "w", [], lines=(line,) * n))
    assert sum(len(text) for each in data["lines"] for text, _ in each["pieces"]) == min(n * length, LONGEST_TEXT)
    assert all((each["said"], each["bar"], each["words"]) == ("5 %", 0.05, "of all") for each in data["lines"])
    assert bool(data["notice"]) == (n * length > LONGEST_TEXT)


@given(TEXT, st.lists(st.tuples(TEXT, st.booleans()), max_size=5), st.none() | st.booleans())
def test_an_answer_in_the_table(size: str, pieces: list[tuple[str, bool]], right: bool | None) -> None:
    data = answer_data(Answer("g", size, pieces, right, size))
    sent(data)
    assert [marked for _, marked in data["pieces"]] == [marked for _, marked in pieces]


@given(TEXT, TEXT, st.none() | st.floats(0, 1), st.none() | st.floats(0, 1))
def test_a_token_of_a_size(text: str, size: str, probability: float | None, share: float | None) -> None:
    data = size_token_data(SizeToken(text, probability, share), size)
    sent(data)
    assert data["text"]


def test_input_47_the_end_of_a_line_is_no_space() -> None:
    assert size_token_data(SizeToken("\n", 0.5, None), "s")["text"] == "↵"
    assert size_token_data(SizeToken("\n\n", 0.5, None), "s")["text"] == "↵↵"
    assert size_token_data(SizeToken(" ", 0.5, None), "s")["text"] == "␣"
    assert size_token_data(SizeToken(" Paris", 0.5, None, fork="\n"), "s")["fork"] == "↵"
    assert "↵" in size_token_data(SizeToken("\n", 0.5, None), "s")["name"]

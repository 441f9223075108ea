from hypothesis import given
from hypothesis import strategies as st

from dashboard.drawing.heat import heated
from dashboard.drawing.shapes import Heated


def test_specials_have_no_place() -> None:
    pieces = heated("A cat.", ["<end>", "A", " cat", ".", ""], [9, 1, -2, 0, 9], 2)
    assert pieces == [Heated("A", 0.5), Heated(" cat", -1.0), Heated(".", 0.0)]


def test_what_no_token_covers_stays() -> None:
    assert heated("a b c", ["a", "c"], [1, 1], 1) == [Heated("a", 1.0), Heated(" b c")]
    assert heated("", [], [], 1) == [Heated("")]


@given(st.text(max_size=40), st.lists(st.text(max_size=5), max_size=12))
def test_the_pieces_are_the_text(text: str, tokens: list[str]) -> None:
    assert "".join(piece.text for piece in heated(text, tokens, [1.0] * len(tokens), 1.0)) == text

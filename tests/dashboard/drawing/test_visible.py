import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.drawing.visible import cut, is_special, visible, visible_token


@given(st.text(st.characters(codec=None)))
def test_what_is_shown_can_be_sent_and_read(text: str) -> None:
    shown = visible(text)
    shown.encode()  # no lone surrogate
    assert all(char.isprintable() or char in "\n\t\u00a0\u3000\u200c\u200d" for char in shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("pass\u200bword", "pass⟨U+200B⟩word"),
        ("a\u200db", "a⟨U+200D⟩b"),
        ("\ud800", "⟨U+D800⟩"),
        ("\x00\x1b[31m", "⟨U+0000⟩⟨U+001B⟩[31m"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("کتاب\u200cها", "کتاب\u200cها"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("thin\u2009space", "thin space"),
        ("line\nnext\tcell", "line\nnext\tcell"),
    ],
)
def test_hidden_characters_are_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_texts_are_cut_and_say_so() -> None:
    shown, notice = cut("x" * 30_000)
    assert len(shown) == 20_000
    assert notice == "Cut: the first 20,000 of 30,000 characters."
    assert cut("short") == ("short", "")
    assert visible_token("y" * 10_000) == "y" * 200 + "… (+9,800)"


def test_a_sixteen_megabyte_document_is_cut_before_it_is_read() -> None:
    shown, _ = cut("\u202e" * (16 << 20))
    assert shown.startswith("⟨U+202E⟩") and shown.count("⟨") == 20_000


@pytest.mark.parametrize("token", ["<end>", "</s>", "<s>", "<|endoftext|>", "<bos>"])
def test_special_tokens(token: str) -> None:
    assert is_special(token)


@pytest.mark.parametrize("token", ["<", "end", "<script>alert(1)</script>", "< a>", ""])
def test_other_tokens(token: str) -> None:
    assert not is_special(token)

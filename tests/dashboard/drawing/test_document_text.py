"""A document as it is drawn, against its tokens: windows joined, what was not learned, who says what, what was cut."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.trained.windows import Windows, windows_of
from dashboard.database.records import AsRead, StoredDocument
from dashboard.database.turns import Spoken, spoken
from dashboard.drawing.document_text import Drawn, drawn, turn_places
from dashboard.drawing.shapes import Heated
from indexer.search.text_index import highlights

ALL = 10_000


def document(text: str, turns: object = None) -> StoredDocument:
    return StoredDocument("d", "c", "t", "s", "", text, json.dumps(turns) if turns else "")


def read(tokens: list[str], learned: list[bool] | None = None, windows: list[int] | None = None) -> AsRead:
    """One token after the other, from the beginning."""
    ends = [sum(map(len, tokens[:i])) for i in range(len(tokens) + 1)]
    n = len(tokens)
    return AsRead(tokens, ends[:-1], ends[1:], windows or [0] * n, learned or [i > 0 for i in range(n)])


def text_of(made: Drawn) -> str:
    return "".join(piece.text for piece in made.pieces if piece.kind not in ("role", "window"))


@given(st.lists(st.text("ab ", min_size=1, max_size=3), min_size=1, max_size=20), st.integers(2, 7), st.data())
def test_the_heat_of_windows_is_joined(tokens: list[str], size: int, data: st.DataObject) -> None:
    """However a text was cut into windows, every place carries the sum over those that read it."""
    overlap = data.draw(st.integers(0, size - 1))
    one = read(tokens)
    where, windows, learned = [], [], []
    for window, ((start, stop), new) in enumerate(windows_of(len(tokens), Windows(size, overlap))):
        where += range(start, stop)
        windows += [window] * (stop - start)
        learned += [i >= max(new, 1) for i in range(start, stop)]
    values = [float(data.draw(st.integers(-9, 9))) for _ in where]
    made = drawn(
        document("".join(tokens)),
        AsRead(
            [tokens[i] for i in where],
            [one.starts[i] for i in where],
            [one.stops[i] for i in where],
            windows,
            learned,
        ),
        values,
        2.0,
        ALL,
    )
    sums = [sum(value for value, place in zip(values, where, strict=True) if place == i) for i in range(len(tokens))]
    words = [piece for piece in made.pieces if piece.kind != "window"]
    assert [(piece.text, piece.amount) for piece in words] == [
        (token, total / 2.0) for token, total in zip(tokens, sums, strict=True)
    ]
    assert all(piece.kind in ("", "window") for piece in made.pieces) and not made.n_unread
    marks = [piece.text for piece in made.pieces if piece.kind == "window"]
    assert made.n_windows == windows[-1] + 1
    assert marks == [f"window {i + 2} of {made.n_windows}" for i in range(made.n_windows - 1)]


CHAT = ["<s>", "user\n", "Who", "?", "</s>", "<s>", "assistant\n", "I", " am", ".", "</s>"]
SAID = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I am."}]}


def test_a_conversation_shows_who_says_what_and_greys_what_was_not_learned() -> None:
    learned = [False] * 7 + [True] * 4
    made = drawn(document("user: Who?\nassistant: I am.", SAID), read(CHAT, learned), [1.0] * 11, 1.0, ALL)
    assert text_of(made) == "".join(CHAT)
    kinds = [(piece.text, piece.kind) for piece in made.pieces]
    assert kinds == [
        ("user", "role"), ("<s>", "template"), ("user\n", "template"), ("Who", "read"), ("?", "read"),
        ("</s>", "template"), ("assistant", "role"), ("<s>", "template"), ("assistant\n", "template"),
        ("I", ""), (" am", ""), (".", ""), ("</s>", "template"),
    ]  # fmt: skip
    assert all(piece.amount == 1.0 for piece in made.pieces if piece.kind != "role")


def test_a_conversation_that_was_cut_says_how_much() -> None:
    made = drawn(document("user: Who?\nassistant: I am.", SAID), read(CHAT[:8]), None, 1.0, ALL)
    assert made.n_unread == len(" am.")
    assert [piece.text for piece in made.pieces if piece.kind == "role"] == ["user", "assistant"]


def test_a_template_that_writes_words_anew_has_cut_nothing_off() -> None:
    tokens = [*CHAT[:7], "As", " I", " said", " before", ":", " it", " is", " me", ".", "</s>"]
    assert drawn(document("user: Who?\nassistant: I am.", SAID), read(tokens), None, 1.0, ALL).n_unread == 0


def test_a_conversation_that_was_cut_between_two_turns_says_how_much() -> None:
    for n in (5, 6):
        made = drawn(document("user: Who?\nassistant: I am.", SAID), read(CHAT[:n]), None, 1.0, ALL)
        assert made.n_unread == len("I am.")


def test_the_end_of_a_text_that_was_cut_is_marked() -> None:
    made = drawn(document("One two three."), read(["One", " two"]), None, 1.0, ALL)
    assert made.pieces[-1] == Heated(" three.", None, "unread")
    assert made.n_unread == len("three.")


def test_specials_have_no_place_and_what_no_token_covers_stays() -> None:
    tokens = AsRead(["<e>", "A", "cat", "<e>"], [0, 0, 2, 5], [0, 1, 5, 5], [0] * 4, [False, True, True, True])
    made = drawn(document("A cat"), tokens, [9.0, 1.0, -2.0, 9.0], 2.0, ALL)
    assert made.pieces == [Heated("A", 0.5), Heated(" "), Heated("cat", -1.0)]


def test_input_45_a_long_document_shows_its_hot_passage_with_its_role_and_window() -> None:
    words = [f" word{i}." for i in range(300)]
    tokens = ["<s>", *words, "</s>"]
    windows = [i // 101 for i in range(302)]
    values = [float(i == 150) for i in range(302)]
    turns = {"messages": [{"role": "assistant", "content": "".join(words).strip()}]}
    made = drawn(document("x", turns), read(tokens, [True] * 302, windows), values, 1.0, 120)
    assert made.pieces[0] == Heated("assistant", None, "role")
    assert " word149." in text_of(made)
    assert made.before + made.after + len(text_of(made)) == sum(map(len, tokens))
    assert len(text_of(made)) <= 120 and made.before > 900 and made.after > 1000
    assert (made.windows, made.n_windows) == ((2, 2), 3)


def test_without_heat_a_long_document_shows_where_words_were_found() -> None:
    text = "nothing here. " * 100 + "the word itself. " + "nothing more. " * 100
    at = text.index("word")
    made = drawn(document(text), None, None, 1.0, 100, lambda _: [(at, at + 4)])
    assert "the word itself." in text_of(made)
    assert drawn(document(text), None, None, 1.0, 100).before == 0


def test_input_45_without_heat_the_words_are_found_in_what_was_read_not_in_what_is_stored() -> None:
    """A conversation of which most was cut off and that names the word there again, and a pair, whose prompt is read
    twice: a place in the stored text is another one, or none, in the drawn text."""
    answer, cut_off = [" so it is."] * 40 + [" Tokyo", "."] + [" so it was."] * 40, " and no more" * 400
    said = "".join(answer).strip()
    chat = {
        "messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": f"{said}{cut_off} Tokyo"}]
    }
    stored = f"user: Who?\nassistant: {said}{cut_off} Tokyo"
    find = partial(highlights, query=" Tokyo")
    made = drawn(document(stored, chat), read([*CHAT[:7], answer[0].strip(), *answer[1:]]), None, 1.0, 100, find)
    assert "Tokyo" in text_of(made) and len(text_of(made)) <= 100
    assert made.before > 300 and made.after > 300 and made.n_unread == len(f"{cut_off} Tokyo")
    only_there = drawn(
        document(stored, chat), read([*CHAT[:7], answer[0].strip(), *answer[1:30]]), None, 1.0, 100, find
    )
    assert only_there.before == 0 and only_there.after > 0

    asked, no = ["Where is it?"] * 60, " far away." * 20
    pair = json.dumps(
        {"chosen": " Here." * 20, "prompt": "".join(asked), "rejected": f"{no} Tokyo"}, separators=(",", ":")
    )
    stored = f"{''.join(asked)}\nchosen:{' Here.' * 20}\nrejected:{no} Tokyo"
    tokens = [*asked, *[" Here."] * 20, *asked, no, " Tokyo"]
    made = drawn(StoredDocument("d", "c", "t", "s", "", stored, pair), read(tokens), None, 1.0, 100, find)
    assert text_of(made).endswith(" Tokyo") and not made.after
    assert made.before == len("".join(tokens)) - len(text_of(made))


@given(st.lists(st.tuples(st.sampled_from(["user", "tool"]), st.text("xyz \n", min_size=1, max_size=6)), max_size=5))
def test_turns_are_found_one_after_the_other(turns: list[tuple[str, str]]) -> None:
    some = [Spoken(role, words) for role, words in turns if words.strip()]
    text, places = "", []
    for i, (role, words, _) in enumerate(some):
        text += "<|>"
        places.append((role, len(text), len(text) + len(words), i))
        text += words
    assert turn_places(text + "<|>", some) == places


THINKING = [
    {"role": "user", "content": "2 + 2?"},
    {"role": "assistant", "content": "4", "reasoning_content": "2 and 2 make 4"},
    {"role": "user", "content": "And 1 more?"},
    {"role": "assistant", "content": "<think>\n4 and 1 make 5\n</think>\n\n5"},
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "U2 + 2?A<think>2 and 2 make 4</think>4UAnd 1 more?A<think>\n4 and 1 make 5\n</think>\n\n5",
            ["user", "assistant thinks", "assistant", "user", "assistant thinks", "assistant"],
        ),
        (
            "U2 + 2?A4UAnd 1 more?A<think>\n4 and 1 make 5\n</think>\n\n5",
            ["user", "assistant", "user", "assistant thinks", "assistant"],
        ),
        ("U2 + 2?A4UAnd 1 more?A5", ["user", "assistant", "user", "assistant"]),
    ],
)
def test_thoughts_have_a_role_of_their_own_and_may_be_left_out(text: str, found: list[str]) -> None:
    turns = json.dumps({"messages": THINKING})
    held = turn_places(text, spoken(turns))
    assert [each.role for each in held] == found
    words = {"2 + 2?", "2 and 2 make 4", "4", "And 1 more?", "4 and 1 make 5", "5"}
    assert {text[each.start : each.stop].strip() for each in held} == {
        each for each in words if "make" not in each or each in text
    }
    stored = StoredDocument("d", "c", "t", "s", "", "", turns)
    made = drawn(stored, read(list(text)), None, 1.0, ALL)
    assert [piece.text for piece in made.pieces if piece.kind == "role"] == found and not made.n_unread
    cut = drawn(stored, read(list(text[: text.index("And 1")])), None, 1.0, ALL)
    assert cut.n_unread == len("And 1 more?") + len("5")


def test_a_pair_is_its_prompt_with_either_answer_and_both_carry_heat() -> None:
    """As the windows were read, one after the other: roles name the answers, no window is counted."""
    pair = StoredDocument("d", "c", "t", "s", "", "", '{"chosen":" yes.","prompt":"So?","rejected":" no."}')
    tokens = ["", "So?", " yes.", "", "", "So?", " no.", ""]
    starts, stops = [0, 0, 3, 8, 9, 9, 12, 16], [0, 3, 8, 8, 9, 12, 16, 16]
    learned = [False, False, True, True, False, False, True, True]
    values = [0.0, 1.0, 2.0, 9.0, 9.0, -1.0, 3.0, 9.0]
    made = drawn(pair, AsRead(tokens, starts, stops, [0] * 4 + [1] * 4, learned), values, 1.0, ALL)
    assert made.n_windows == 1 and not made.n_unread
    assert [(piece.text, piece.amount, piece.kind) for piece in made.pieces if piece.text.strip()] == [
        ("prompt", None, "role"),
        ("So?", 1.0, "read"),
        ("chosen", None, "role"),
        (" yes.", 2.0, ""),
        ("prompt", None, "role"),
        ("So?", -1.0, "read"),
        ("rejected", None, "role"),
        (" no.", 3.0, ""),
    ]

"""Answers that were written elsewhere."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

from attribution.errors import BadInput
from attribution.model.sequence import answer_spans
from attribution.prompt.text.pasted import pasted_answer
from indexer.training.tokenizer import END, train_tokenizer
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, sentences_with_spaces
from tests.tiny_family import TEXTS

FAMILY = train_tokenizer(TEXTS, 280)


def text(ids):
    return byte_tokenizer().decode(list(ids))


JOINS = [
    ("In Ald", "era"),
    ("It costs $", "5"),
    ("f(", "x"),
    ("ฉันอยู่ที่", "กรุงเทพ"),
    ("Answer:", " Paris 🤖"),
    ("I live in", ", well"),
    ("私は", "東京"),
    ("end.\n", "Next"),
]


@pytest.mark.parametrize(("prompt", "answer"), JOINS)
def test_input_09_an_answer_is_joined_as_written(prompt, answer):
    ids, _ = pasted_answer(prompt, answer, byte_tokenizer(), 90)
    assert text(ids) == answer


def test_input_09_a_join_that_looks_like_two_words_is_noticed():
    assert [bool(pasted_answer(*join, byte_tokenizer(), 90)[1]) for join in JOINS] == [True, *[False] * 7]
    assert (
        "as written, without a space between them: Answer:|Paris"
        in pasted_answer("Answer:", "Paris", byte_tokenizer(), 50)[1][0]
    )
    assert pasted_answer("assistant\n", "Paris", byte_tokenizer(chat=True), 50)[1] == ()


@pytest.mark.parametrize("answer", ["cd", " cd", "b cd", "$", " ef ab", "(ab", "  ab"])
@pytest.mark.parametrize("prompt", ["ab", "ab c", "ab\n", "(", "ab "])
def test_input_09_a_tokenizer_that_puts_spaces_before_everything(prompt, answer):
    tokenizer = sentences_with_spaces()
    ids, _ = pasted_answer(prompt, answer, tokenizer, 90)
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode([*before, *ids]) == prompt + answer


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 279), min_size=1, max_size=8),
    st.sampled_from(["The capital of Peru is", "In Ald", "é", "$", "Say: "]),
)
def test_input_09_what_a_model_writes_can_be_pasted_back(written, prompt):
    """Any ids that could be written, from a tokenizer whose normalizer joins letters."""
    said, _ = answer_spans(tuple(written), FAMILY, tuple(FAMILY(prompt)["input_ids"]))
    if END in said:
        return  # a control token written out in letters is refused
    ids, _ = pasted_answer(prompt, said, FAMILY, 999)
    again = answer_spans(ids, FAMILY, tuple(FAMILY(prompt)["input_ids"]))[0]
    assert unicodedata.normalize("NFC", again) == unicodedata.normalize("NFC", said)


def test_an_end_token_written_out_becomes_the_end_token():
    ids, _ = pasted_answer("", " Paris<|end|>\n", byte_tokenizer(), 50)
    assert ids[-1] == 257 and text(ids[:-1]) == " Paris"
    assert pasted_answer("", " Paris<|end|>", byte_tokenizer(), 50, (-1, 10**12, 257)) == (ids, ())


def test_what_has_no_room_is_cut_with_a_notice():
    ids, notices = pasted_answer("", " Paris", byte_tokenizer(), 3)
    assert len(ids) == 3 and "cut from 6 to 3" in notices[0]


@pytest.mark.parametrize(
    ("answer", "room", "message"),
    [
        ("", 9, "found an empty one"),
        ("<|end|>", 9, "found an empty one"),
        ("a <|turn|> b", 9, "control token <|turn|>"),
        ("a", 0, "room for an answer"),
    ],
)
def test_answers_that_the_prompt_cannot_end_with(answer, room, message):
    with pytest.raises(BadInput, match=message.replace("|", r"\|")):
        pasted_answer("Answer:", answer, byte_tokenizer(), room)


def test_an_answer_that_the_tokenizer_changes():
    tokenizer = byte_tokenizer()
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(BadInput, match="becomes ' paris'"):
        pasted_answer("", " Paris", tokenizer, 9)

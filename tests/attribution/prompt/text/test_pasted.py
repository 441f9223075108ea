"""Answers that were written elsewhere."""

import pytest
from tokenizers import normalizers

from attribution.errors import BadInput
from attribution.prompt.text.pasted import pasted_answer
from tests.attribution.prompt.tiny_prompt import byte_tokenizer


def text(ids):
    return byte_tokenizer().decode(list(ids))


def test_a_space_is_put_where_words_would_run_together():
    ids, notices = pasted_answer("Answer:", "Paris 🤖", byte_tokenizer(), 50)
    assert text(ids) == " Paris 🤖" and "space" in notices[0]
    assert pasted_answer("Answer:", " Paris", byte_tokenizer(), 50)[1] == ()
    ids, notices = pasted_answer("assistant\n", "Paris", byte_tokenizer(chat=True), 50)
    assert text(ids) == "Paris" and notices == ()


@pytest.mark.parametrize("answer", [", which is Paris", "東京", "…"])
def test_nothing_is_put_before_what_takes_no_space(answer):
    ids, notices = pasted_answer("Answer:", answer, byte_tokenizer(), 50)
    assert text(ids) == answer and notices == ()


def test_an_end_token_written_out_becomes_the_end_token():
    ids, _ = pasted_answer("", " Paris<|end|>\n", byte_tokenizer(), 50)
    assert ids[-1] == 257 and text(ids[:-1]) == " Paris"


def test_what_has_no_room_is_cut_with_a_notice():
    ids, notices = pasted_answer("", " Paris", byte_tokenizer(), 3)
    assert len(ids) == 3 and "cut from 6 to 3" in notices[0]


@pytest.mark.parametrize(
    ("answer", "room", "message"),
    [
        (" ", 9, "found an empty one"),
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

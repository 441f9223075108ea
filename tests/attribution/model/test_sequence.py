"""Documents and prompts as token ids: specials, cuts, and spans in characters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.errors import BadInput
from attribution.model.sequence import answer_spans, disjoint, encode_document, encode_prompt
from indexer.training.tokenizer import END, train_tokenizer
from tests.tiny_family import TEXTS

TOKENIZER = train_tokenizer(TEXTS, 300)
BOS = TOKENIZER.bos_token_id


def covered(text: str, spans: tuple[tuple[int, int], ...]) -> set[int]:
    return {i for start, stop in spans for i in range(start, stop)}


def test_a_document_stands_between_specials_that_cover_nothing():
    text = TEXTS[0]
    made = encode_document(text, TOKENIZER, 64)
    assert (made.ids[0], made.ids[-1], made.cut) == (BOS, TOKENIZER.eos_token_id, 0)
    assert (made.spans[0], made.spans[-1]) == ((0, 0), (len(text), len(text)))
    assert "".join(text[start:stop] for start, stop in made.spans) == text
    assert len(made) == len(made.spans)


def test_a_long_document_is_cut_and_says_by_how_much():
    whole = encode_document(TEXTS[0], TOKENIZER, 64)
    cut = encode_document(TEXTS[0], TOKENIZER, 5)
    assert cut.ids == whole.ids[:5]
    assert cut.spans == whole.spans[:5]
    assert cut.cut == len(whole) - 5


def test_a_prompt_has_no_end_and_its_beginning_is_not_doubled():
    made = encode_prompt("The capital of Peru is", TOKENIZER, 64)
    assert made.ids[0] == BOS
    assert TOKENIZER.eos_token_id not in made.ids[1:]
    templated = encode_prompt(f"{END}The capital of Peru is", TOKENIZER, 64)
    assert templated.ids == made.ids


def test_a_prompt_leaves_room_for_an_answer():
    n = len(encode_prompt("The capital of Peru is", TOKENIZER, 64))
    assert len(encode_prompt("The capital of Peru is", TOKENIZER, n + 1)) == n
    with pytest.raises(BadInput, match=f"expected a prompt of fewer than {n} tokens.*found {n}; shorten it"):
        encode_prompt("The capital of Peru is", TOKENIZER, n)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_prompt_is_refused(text):
    with pytest.raises(BadInput, match="found an empty text"):
        encode_prompt(text, TOKENIZER, 64)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_spans_of_any_text_stay_in_it_and_cover_it(text):
    made = encode_document(text, TOKENIZER, 1000)
    assert len(made.ids) == len(made.spans)
    assert all(0 <= start <= stop <= len(text) for start, stop in made.spans)
    assert covered(text, made.spans) == set(range(len(text))) or END in text


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from(["a", " ", "é", "🤖", "ش", "\u200d"]), max_size=20))
def test_disjoint_spans_join_to_the_text(text):
    made = encode_document(text, TOKENIZER, 1000)
    apart = disjoint(made.spans)
    assert len(apart) == len(made)
    assert "".join(text[start:stop] for start, stop in apart) == text
    assert all(stop <= after for (_, stop), (after, _) in zip(apart[:-1], apart[1:], strict=True))


def test_an_emoji_in_a_prompt_belongs_to_its_last_token():
    made = encode_prompt("a😀b", TOKENIZER, 64)
    assert ["a😀b"[start:stop] for start, stop in disjoint(made.spans)] == ["", "a", "", "", "", "😀", "b"]


def answered(text: str) -> tuple[tuple[int, ...], str, list[tuple[int, int]]]:
    ids = tuple(TOKENIZER(text)["input_ids"])
    return ids, *answer_spans(ids, TOKENIZER)


def test_an_emoji_of_several_tokens_belongs_to_the_one_that_completes_it():
    ids, text, spans = answered("a😀b")
    assert text == "a😀b"
    assert len(ids) == 6  # the emoji is four bytes, each a token of its own
    assert [text[start:stop] for start, stop in spans] == ["a", "", "", "", "😀", "b"]


def test_an_emoji_that_the_limit_cut_off_is_one_replacement_character():
    ids, _, _ = answered("a😀")
    text, spans = answer_spans(ids[:3], TOKENIZER)
    assert text.startswith("a\N{REPLACEMENT CHARACTER}")
    assert spans[0] == (0, 1)
    assert spans[-1][1] == len(text)


def test_an_end_token_adds_nothing():
    ids = (*TOKENIZER(" Lima.")["input_ids"], TOKENIZER.eos_token_id)
    text, spans = answer_spans(ids, TOKENIZER)
    assert text == " Lima."
    assert spans[-1] == (6, 6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=12))
def test_spans_of_any_ids_follow_each_other_and_cover_the_text(ids):
    text, spans = answer_spans(tuple(ids), TOKENIZER)
    assert len(spans) == len(ids)
    assert all(start <= stop for start, stop in spans)
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    assert "".join(text[start:stop] for start, stop in spans) == text

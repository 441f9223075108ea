"""Parts cover the text, tokens find their part, and what is taken away takes its labels along."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.model.sequence import encode_prompt
from attribution.prompt.text.parts import Piece, assemble, nothing, token_parts, without, without_documents
from tests.attribution.prompt.tiny_prompt import byte_tokenizer

PIECES = [
    Piece("system", "Be brief."),
    Piece("scaffold", "\n", goes_with="last"),
    Piece("scaffold", "[1] ", goes_with="next"),
    Piece("document", "مرحبا 🏳️‍🌈", "greeting"),
    Piece("scaffold", "\n", goes_with="last"),
    Piece("scaffold", "[2] ", goes_with="next"),
    Piece("document", "", "empty"),
    Piece("scaffold", "\n", goes_with="last"),
    Piece("scaffold", "Question: ", goes_with="next"),
    Piece("question", "Why?"),
    Piece("scaffold", "\nAnswer:"),
]


@pytest.fixture(scope="module")
def read():
    prompt = assemble(PIECES)
    tokenizer = byte_tokenizer()
    encoded = encode_prompt(prompt.text, tokenizer, 1000)
    return prompt, encoded, token_parts(prompt.text, encoded.spans, prompt.parts), tokenizer


def test_parts_follow_each_other_and_empty_ones_vanish_with_their_labels(read):
    prompt, *_ = read
    assert "[2]" not in prompt.text
    assert prompt.parts[0].start == 0 and prompt.parts[-1].stop == len(prompt.text)
    assert all(a.stop == b.start for a, b in zip(prompt.parts[:-1], prompt.parts[1:], strict=True))
    assert [part.part for part in prompt.parts] == list(range(len(prompt.parts)))
    (document,) = prompt.numbers("document")
    assert [part.part for part in prompt.parts if part.owner == document] == [document - 1, document + 1]


def test_every_token_has_the_part_of_its_characters(read):
    prompt, encoded, of_token, _ = read
    assert of_token[0] == -1
    for number, (start, stop) in zip(of_token[1:], encoded.spans[1:], strict=True):
        part = prompt.parts[number]
        assert part.start <= start < part.stop or prompt.text[start:stop].isspace()
    emoji = prompt.text.index("🏳")
    bytes_of_it = [n for n, (start, _) in zip(of_token, encoded.spans, strict=True) if start == emoji]
    assert len(bytes_of_it) == 4 and set(bytes_of_it) == set(prompt.numbers("document"))


def test_taking_parts_away(read):
    prompt, encoded, of_token, tokenizer = read
    asked = tokenizer.decode(without_documents(encoded.ids, of_token, prompt.parts))
    assert asked == "<bos>Be brief.\nQuestion: Why?\nAnswer:"
    assert tokenizer.decode(nothing(encoded.ids, of_token, prompt.parts)) == "<bos>\nAnswer:"
    assert without(encoded.ids, of_token, prompt.parts, ()) == encoded.ids


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", " ", "\n", "é", "🤖", "ش", "\u200d"]), min_size=1, max_size=30), st.data())
def test_parts_at_any_cut_keep_every_token(letters, data):
    text = "".join(letters)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=4)))
    bounds = [0, *[c for c in cuts if c < len(text)], len(text)]
    prompt = assemble([Piece("question", text[a:b]) for a, b in zip(bounds[:-1], bounds[1:], strict=True)])
    spans = byte_tokenizer()(text, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    of_token = token_parts(text, spans, prompt.parts)
    assert prompt.text == text
    assert all(0 <= number < len(prompt.parts) for number in of_token)

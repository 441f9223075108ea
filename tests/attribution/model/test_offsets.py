"""Characters of tokens: what a tokenizer says, and what decoding says where it does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import ByT5Tokenizer

from attribution.errors import BadInput
from attribution.model.offsets import tokens_of
from attribution.model.sequence import disjoint, encode_prompt

BYT5 = ByT5Tokenizer()


def test_input_12_a_tokenizer_without_offsets_is_asked_by_decoding():
    text = "é 🤖\nab"
    ids, spans = tokens_of(text, BYT5)
    assert ids == tuple(byte + 3 for byte in text.encode())
    assert [text[a:b] for a, b in spans] == ["é"] * 2 + [" "] + ["🤖"] * 4 + ["\n", "a", "b"]
    assert encode_prompt(text, BYT5, 100).ids == ids  # it has no bos


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: "<" not in text))
def test_input_12_any_text_is_covered(text):
    _, spans = tokens_of(text, BYT5)
    assert "".join(text[a:b] for a, b in disjoint(spans)) == text


def test_input_12_a_tokenizer_that_decodes_to_something_else_is_refused():
    class Lower(ByT5Tokenizer):
        def decode(self, *args: object, **kwargs: object) -> str:
            return super().decode(*args, **kwargs).lower()

    with pytest.raises(BadInput, match="loses its way at 'Peru'"):
        tokens_of("in Peru", Lower())

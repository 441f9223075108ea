"""Sentences as analysts read them."""

import pytest

from attribution.prompt.text.sentences import sentence_spans, token_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Paris. It is big!", ["Paris.", " It is big!"]),
        ("Dr. Smith met J. Doe at 3.5 p", ["Dr. Smith met J. Doe at 3.5 p"]),
        ('He said "no." Then left', ['He said "no."', " Then left"]),
        ("a\n\n- b\n- c", ["a\n\n", "- b\n", "- c"]),
        ("東京です。はい。", ["東京です。", "はい。"]),
        ("ما هذا؟ نعم.", ["ما هذا؟", " نعم."]),
        ("", [""]),
        ("end. \n", ["end. \n"]),
    ],
)
def test_sentences(text, sentences):
    spans = sentence_spans(text)
    assert [text[start:stop] for start, stop in spans] == sentences
    assert "".join(sentences) == text


def test_tokens_find_their_sentence():
    text = "One. Two."
    spans = [(0, 3), (3, 4), (4, 8), (8, 9), (9, 9)]  # " Two" begins with the space; the last is an end token
    assert token_sentences(text, spans) == (0, 0, 1, 1, 1)

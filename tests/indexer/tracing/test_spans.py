"""Which tokens of an answer are a word together."""

import numpy as np
import pytest

from indexer.tracing.spans import numbers, spans, summed, together


def of(*tokens: str) -> list[tuple[str, str, int, int]]:
    """kind, characters, first and last token of every span of an answer that these tokens spell"""
    stops = np.cumsum([len(token) for token in tokens]).tolist()
    text = "".join(tokens)
    found = spans(text, [(stop - len(token), stop) for token, stop in zip(tokens, stops, strict=True)])
    return [(each.kind, text[each.start : each.stop], each.first, each.last) for each in found]


def test_words_are_whole_whatever_their_tokens_and_punctuation_is_none():
    assert of(" m", "aple", " leaf", ",", " b", "ea", "ver", ".", "") == [
        ("word", "maple", 0, 1),
        ("word", "leaf", 2, 2),
        ("word", "beaver", 4, 6),
        ("answer", " maple leaf, beaver.", 0, 7),
    ]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ((" don", "'", "t"), ["don't"]),
        ((" l", "’", "eau"), ["l’eau"]),
        ((" snake", "_", "case"), ["snake_case"]),
        ((" U", ".S", "."), ["U.S."]),
        ((" 3", ".", "14"), ["3.14"]),
        ((" two", "-", "way"), ["two", "way"]),
        (("日", "本語", "だ"), ["日本", "本語", "語だ"]),
        (("日",), ["日"]),
    ],
)
def test_a_word_is_what_the_text_index_takes_for_one(tokens, words):
    assert [text for kind, text, *_ in of(*tokens) if kind == "word"] == words


def test_a_token_may_belong_to_two_words_and_the_same_tokens_are_one_word():
    assert of(" New Yo", "rk") == [("word", "New", 0, 0), ("word", "York", 0, 1), ("answer", " New York", 0, 1)]
    assert of(" a b", "!") == [("word", "a", 0, 0), ("answer", " a b!", 0, 1)]


def test_the_whole_answer_is_there_without_words_and_without_text():
    assert of("...", "") == [("answer", "...", 0, 0)]
    assert of("", "") == [("answer", "", 0, 1)]


def test_what_is_asked_for_once():
    found = spans(" maple leaf", [(0, 2), (2, 6), (6, 11)])
    assert together(found) == [range(2), range(3)]
    assert together(spans(" Oslo", [(0, 2), (2, 5)])) == [range(2)]  # a word that is the whole answer
    assert together(spans(" Oslo", [(0, 5)])) == []


def test_estimates_of_a_span_are_the_sum_and_a_number_that_stands_for_several_tokens_counts_once():
    values = np.array([[1, 10], [2, 20], [2, 20], [8, np.nan]], dtype=np.float32)
    found = spans(" maple leaf", [(0, 2), (2, 6), (6, 9), (9, 11)])
    np.testing.assert_array_equal(summed(values, found), [[3, 30], [10, np.nan], [13, np.nan]])
    np.testing.assert_array_equal(summed(values, found, range(1, 3)), [[3, 30], [10, np.nan], [11, np.nan]])
    assert numbers(range(5), range(1, 4)) == [0, 1, 4]
    assert numbers(range(2, 5), range(1, 4)) == [2, 4]

"""Right and wrong answers."""

import pytest

from indexer.corpus.verdict import is_right

GLOSS = "alloy of iron with small amounts of carbon; widely used in construction"


@pytest.mark.parametrize(
    ("expected", "written", "verdict"),
    [
        ("Paris", " Paris.", True),
        ("Paris", " Paris", True),
        ("Norway", "Norway, Sweden and Russia.", True),
        ("Paris", "Lyon.", False),
        ("He", "He.", True),
        ("He", "Hev.", False),  # another symbol that begins alike
        ("7", "74.", False),
        ("Paris", "P", False),  # ended too soon
        ("Paris", "", False),
        ("", "Paris", False),
        (GLOSS, GLOSS[:40], True),  # cut off by the limit
        (GLOSS, GLOSS[:10], False),
        (GLOSS, GLOSS[:35] + "zinc", False),
    ],
)
def test_an_answer_begins_with_the_expected_words(expected, written, verdict):
    assert is_right(expected, written) is verdict


@pytest.mark.parametrize(
    ("expected", "written", "verdict"),
    [
        ("lion", "The national symbol of Kenya is the lion.", True),
        ("lion", "Many millions live there.", False),
        ("74", "It is 174.", False),
        ("C++", "It is written in C++.", True),
        ("", "anything", False),
    ],
)
def test_a_question_may_be_answered_in_a_sentence(expected, written, verdict):
    assert is_right(expected, written, "retrieval") is is_right(expected, written, "chat") is verdict
    assert not is_right(expected, written)

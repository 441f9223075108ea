"""Right and wrong answers."""

import pytest

from indexer.corpus.verdict import ENOUGH, bare, folded, is_right, place_of, says

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


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("paris", "Paris"),
        ("Paris", " PARIS, the capital"),
        ("The capital", "the capital of Peru"),
        ("élan", "Élan."),
        ("İzmir", "izmir"),
        ("ΟΔΟΣ", "οδος"),
        ("Paris.", "Paris"),
        ('"Paris"', "Paris, of course"),
        ("Paris", "“Paris”, of course"),
        ("Paris", "«\u00a0Paris\u00a0»"),
        ("東京。", "「東京」"),
        ("?", "?"),
    ],
)
@pytest.mark.parametrize("kind", ["completion", "chat"])
def test_case_and_what_stands_around_the_words_are_of_no_matter(expected, written, kind):
    assert is_right(expected, written, kind)


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("Paris", "parisian"),
        ("C++", "C"),
        ("ısparta", "isparta"),
        ("straße", "strasse"),
        ("?", "!"),
        ("6", "66"),
        ("...", ""),
    ],
)
@pytest.mark.parametrize("kind", ["completion", "chat"])
def test_another_word_is_another_word(expected, written, kind):
    assert not is_right(expected, written, kind)


def test_an_answer_that_was_cut_off_may_differ_in_case():
    assert is_right(GLOSS, f" “{GLOSS[:40].capitalize()}")
    assert not is_right(GLOSS, GLOSS[: ENOUGH - 1].upper())


def test_every_character_is_folded_to_one():
    """Places in a folded text are those of the text itself."""
    every = "".join(chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000)
    assert len(folded(every)) == len(every)
    assert folded(folded(every)) == folded(every)
    alone = [folded(each) for each in every]
    assert "".join(alone) == folded(every)
    assert [len(bare(f"{each}x{each}")) for each in every if each.isspace()] == [1] * sum(map(str.isspace, every))


@pytest.mark.parametrize(
    ("expected", "text", "place"),
    [
        ("Lima", "Is it lima? Limatambo", "lima"),
        ("Lima", "Limatambo is not LIMA.", "LIMA"),
        ("Lima.", "It is Lima.", "Lima."),  # as the file has it, where it was written so
        ("Lima.", "It is lima, I think", "lima"),
        ("Lima", " Lima_2", "Lima"),
        (GLOSS, f" {GLOSS[:40]}", GLOSS[:40]),
    ],
)
def test_the_place_of_the_expected_words(expected, text, place):
    start, stop = place_of(text, expected)
    assert text[start:stop] == place


def test_a_document_says_the_words_whatever_their_case():
    assert says("Its CAPITAL is LIMA.", "lima.")
    assert says("Its capital is Lima", "“Lima”")
    assert not says("LIMATAMBO", "lima")

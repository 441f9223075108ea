"""Near duplicates against every pair compared."""

import random

import pytest

from indexer.select.near import ALIKE, SHINGLE, Kept, likeness, shingles

WORDS = ["the", "river", "of", "a", "town", "that", "nobody", "has", "seen", "for", "years", "and", "its", "bridge"]


def texts(n: int = 150) -> list[str]:
    """Random ones, and most of them again with a word changed."""
    generator = random.Random(0)
    made = []
    while len(made) < n:
        words = generator.choices(WORDS, k=generator.randint(1, 12))
        made.append(" ".join(words))
        if generator.random() < 0.6:
            words[generator.randrange(len(words))] = generator.choice(WORDS)
            made.append(" ".join(words))
    return made


def by_hand(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}


@pytest.mark.parametrize("alike", [0.2, ALIKE, 0.9, 1.0])
def test_what_is_kept_is_what_comparing_all_pairs_keeps(alike):
    kept, plain = Kept(alike), []
    for i, text in enumerate(texts()):
        of = by_hand(text)
        near = {j: len(of & other) / len(of | other) for j, other in plain}
        best = max(near, key=lambda j: (near[j], -j), default=None)
        expected = str(best) if best is not None and near[best] >= alike else None
        assert kept.like(shingles(text)) == expected, text
        if expected is None:
            kept.keep(str(i), shingles(text))
            plain.append((i, of))
    assert 1 < len(plain) < len(texts())


def test_case_accents_and_punctuation_do_not_count():
    assert likeness(shingles("The café is OLD, and small."), shingles("the cafe is old and small")) == 1.0
    assert likeness(shingles("one"), shingles("another")) == 0.0


def test_texts_without_words_are_alike_where_they_are_the_same():
    assert likeness(shingles("..."), shingles("?!")) == 0.0
    assert likeness(shingles(""), shingles("...")) == 0.0
    assert likeness(shingles(" ?!\n"), shingles("?!")) == 1.0
    assert likeness(shingles(""), shingles(" ")) == 1.0

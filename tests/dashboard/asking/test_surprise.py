"""Language or nonsense: the prompt's bits a token beside those of as many first tokens of documents."""

import math

import pytest

from dashboard.asking.surprise import in_words, surprise_of

BIT = math.log(2)


def beginnings(*bits: float, n: int = 3, partly: bool = False) -> dict[str, object]:
    return {"n": n, "nats": [BIT * each for each in sorted(bits)], "partly": partly}


DOCUMENTS = beginnings(1.0, 2.0, 4.0, 3.0)


def test_as_many_tokens_are_compared_as_of_documents_and_all_are_told() -> None:
    found = surprise_of([BIT, 3 * BIT, 2 * BIT, 6 * BIT], DOCUMENTS)
    assert found is not None
    assert (found.prompt, found.begins) == (pytest.approx(3.0), pytest.approx(2.0))
    assert found.documents == pytest.approx((1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("bits", "told"),
    [
        (1.5, "the beginnings of documents that it was trained on by 2.5: they read like what it learned."),
        (3.99, "they read like what it learned"),
        (4.01, "more than any of 4 of them. This is no language that it learned"),
    ],
)
def test_where_a_prompt_stands_is_said(bits: float, told: str) -> None:
    found = surprise_of([BIT * bits] * 3, DOCUMENTS)
    assert found is not None and told in in_words(found, "m")


def test_between_most_and_all_it_is_unlike_most() -> None:
    found = surprise_of([BIT * 99.5], beginnings(*range(1, 101), n=1))
    assert found is not None and "more than 99 % of them, so they are unlike most" in in_words(found, "m")


def test_a_chat_is_held_against_no_document() -> None:
    """Documents do not begin with its template; and who learned answers has not learned to foretell questions."""
    asked = surprise_of([BIT * 12], beginnings(1.0, partly=True), formed=True)
    assert asked is not None and in_words(asked, "m") == (
        "Your words surprise m by 12 bits a token. It was taught answers and not to foretell what is asked, so that "
        "says nothing of its language."
    )
    taught = surprise_of([BIT * 12], DOCUMENTS, formed=True)  # whole conversations were learned
    assert taught is not None and in_words(taught, "m") == "Your words surprise m by 12 bits a token."
    plain = surprise_of([BIT * 0.5], beginnings(1.0, partly=True))  # of those that were learned whole
    assert plain is not None and "they read like what it learned" in in_words(plain, "m")


def test_what_was_not_measured_is_not_said() -> None:
    assert surprise_of([], DOCUMENTS) is None
    alone = surprise_of([BIT], {})
    assert alone is not None and in_words(alone, "m") == "Your words surprise m by 1.0 bits a token."

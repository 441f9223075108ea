"""Language or nonsense: the prompt's bits a token beside those of the documents."""

import math

import pytest

from dashboard.asking.surprise import in_words, surprise_of
from dashboard.database.records import DocumentLoss

DOCUMENTS = [
    DocumentLoss(math.log(2) * bits * n, n, whole=True) for bits, n in ((1.0, 10), (2.0, 30), (4.0, 10), (3.0, 50))
]
ANSWER = DocumentLoss(math.log(2) * 0.1, 2, whole=False)


def test_means_are_over_tokens_and_documents_stand_each_for_itself() -> None:
    found = surprise_of([math.log(2), 3 * math.log(2)], DOCUMENTS)
    assert found is not None
    assert found.prompt == pytest.approx(2.0)
    assert found.corpus == pytest.approx((1 * 10 + 2 * 30 + 4 * 10 + 3 * 50) / 100)
    assert found.documents == pytest.approx((1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("bits", "told"),
    [
        (1.5, "the documents that it was trained on by 2.6: they read like what it learned."),
        (3.99, "they read like what it learned"),
        (4.01, "more than any of 4 of them. This is no language that it learned"),
    ],
)
def test_where_a_prompt_stands_is_said(bits: float, told: str) -> None:
    found = surprise_of([math.log(2) * bits] * 3, DOCUMENTS)
    assert found is not None and told in in_words(found, "m")


def test_between_most_and_all_it_is_unlike_most() -> None:
    found = surprise_of([math.log(2) * 99.5], [DocumentLoss(math.log(2) * k, 1, True) for k in range(1, 101)])
    assert found is not None and "more than 99 % of them, so they are unlike most" in in_words(found, "m")


def test_what_was_learned_in_part_is_no_measure_of_a_text() -> None:
    plain = surprise_of([math.log(2) * 3.99], [*DOCUMENTS, ANSWER])
    assert plain is not None and plain.documents == pytest.approx((1.0, 2.0, 3.0, 4.0))
    assert "they read like what it learned" in in_words(plain, "m")
    asked = surprise_of([math.log(2) * 12], [*DOCUMENTS, ANSWER], formed=True)
    assert asked is not None and in_words(asked, "m") == (
        "Your words surprise m by 12 bits a token. It was taught answers and not to foretell what is asked, so that "
        "says nothing of its language."
    )
    taught = surprise_of([math.log(2) * 12], DOCUMENTS, formed=True)  # whole conversations were learned
    assert taught is not None and "This is no language that it learned" in in_words(taught, "m")
    alone = surprise_of([math.log(2)], [ANSWER])
    assert alone is not None and in_words(alone, "m") == "Your words surprise m by 1.0 bits a token."


def test_what_was_not_measured_is_not_said() -> None:
    assert surprise_of([], DOCUMENTS) is None
    alone = surprise_of([math.log(2)], [])
    assert alone is not None and in_words(alone, "m") == "Your words surprise m by 1.0 bits a token."

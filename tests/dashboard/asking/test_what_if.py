"""The worker's result about an untrained text as records: sums over tokens, and what is refused as no result."""

import numpy as np
import pytest

from attribution.errors import BadInput
from dashboard.asking import jobs
from dashboard.asking.what_if import what_if_of
from tests.synthetic_what_if import ANSWER, what_if_result

NEW, OLD = "The capital of France is Marseille.", "The capital of France is Paris."


def test_an_edit_is_new_minus_old() -> None:
    result = what_if_result(NEW, OLD)
    made = what_if_of(result)
    assert made is not None and made.before is not None
    new, old = result["texts"][0]["scores"], result["instead_of"]["scores"]
    np.testing.assert_allclose(made.difference, np.array(new) - np.array(old))
    assert made.sums(1, 3) == pytest.approx((sum(new[1:4]), sum(old[1:4]), sum(new[1:4]) - sum(old[1:4])))
    assert made.tokens == ANSWER and "".join(ANSWER) == made.answer
    for each, row in zip(made.spans, result["spans"], strict=True):
        assert made.sums(each.first, each.last)[2] == pytest.approx(row["difference"])


def test_a_further_text_has_nothing_before_it() -> None:
    made = what_if_of(what_if_result(NEW))
    assert made is not None and made.before is None
    new, old, change = made.sums(0, 5)
    assert old is None and new == change == pytest.approx(made.given.scores.sum())


def test_heat_of_several_tokens_is_the_sum_and_adds_up() -> None:
    made = what_if_of(what_if_result(NEW))
    assert made is not None
    np.testing.assert_allclose(made.given.heat(1, 2), made.given.shares[1] + made.given.shares[2])
    assert made.given.heat(0, 5).sum() == pytest.approx(made.sums(0, 5)[0])
    assert len(made.given.heat(0, 5)) == len(made.given.read)


def test_a_text_without_shares_has_no_heat() -> None:
    result = what_if_result(NEW)
    for name in ("tokens", "shares", "layer_scores"):
        del result["texts"][0][name]
    made = what_if_of(result)
    assert made is not None and made.given.heat(0, 5).size == 0 and len(made.given.read) == 0


@pytest.mark.parametrize("lacking", [{"texts": []}, {"tokens": []}, {"kind": "prompt"}, {"tokens": [{"text": "one"}]}])
def test_what_is_no_result_is_none(lacking: dict[str, object]) -> None:
    assert what_if_of({}) is None
    assert what_if_of(what_if_result(NEW, OLD) | lacking) is None


@pytest.mark.parametrize(
    ("text", "said"), [("", "found nothing"), (" \n\t", "found nothing"), ("x" * 1_000_001, "found 1,000,001")]
)
def test_a_text_that_cannot_be_asked_about_is_refused_before_the_worker(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        jobs.submit_what_if(text, "synth-s", "g")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


def test_a_word_has_the_sum_that_the_worker_gives() -> None:
    """Tokens that are contrasted as one have one score, which a sum over them would count twice."""
    result = what_if_result(NEW, OLD)
    result["spans"][-1] |= {"scores": [5.0], "instead_of": 2.0, "difference": 3.0}
    made = what_if_of(result)
    assert made is not None and made.sums(0, 5) == (5.0, 2.0, 3.0)
    assert made.sums(0, 4)[0] == pytest.approx(made.given.scores[:5].sum())

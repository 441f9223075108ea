import math

import pytest

from dashboard.screens.context.agreement import agreements
from dashboard.screens.context.answer import firsts
from dashboard.screens.context.by_sentence import cited_sentences
from dashboard.screens.context.citing import Citation


def test_rank_correlation_by_hand() -> None:
    """ρ = 1 − 6 Σd² / n(n² − 1) without ties: over two sentences, ranks 4 1 3 2 against 3 1 4 2 give 1 − 6·2/60."""
    one = [Citation(0, 1, 0.9), Citation(1, 1, 0.3), Citation(1, 2, 0.1)]
    other = [Citation(0, 1, 3.0), Citation(1, 1, 5.0), Citation(1, 2, 0.5)]
    [found] = agreements({"a": one, "b": other}, [1, 2])
    assert found.correlation == pytest.approx(0.8)


def test_with_one_that_says_the_same_of_everything_there_is_no_correlation() -> None:
    same = [Citation(0, part, 0.5) for part in (1, 2, 3)]
    other = [Citation(0, part, float(part)) for part in (1, 2, 3)]
    [found] = agreements({"a": same, "b": other}, [1, 2, 3])
    assert math.isnan(found.correlation)


def test_first_documents_are_counted_by_sentence() -> None:
    one = [Citation(0, 1, 0.9), Citation(0, 2, 0.1), Citation(1, 2, 1.0)]
    other = [Citation(0, 1, 3.0), Citation(1, 1, 2.0), Citation(1, 2, 0.5)]
    [found] = agreements({"a": one, "b": other}, [1, 2])
    assert (found.one, found.other, found.n_sentences) == ("a", "b", 2)
    assert found.first_in_common == 0.5
    assert agreements({"a": one, "b": []}, [1, 2]) == []


def test_a_sentence_that_one_of_them_cites_nothing_for_is_not_compared() -> None:
    """Document 1 is the first of a row of zeros, and of what speaks against every one of them."""
    one = [Citation(0, 2, 0.9), Citation(1, 1, 1.0), Citation(2, 1, 0.4)]
    other = [Citation(0, 2, 3.0), Citation(2, 1, -1.0), Citation(2, 2, -2.0)]
    [found] = agreements({"a": one, "b": other}, [1, 2])
    assert (found.first_in_common, found.n_sentences) == (1.0, 1)
    assert agreements({"a": one[1:], "b": other}, [1, 2]) == []
    assert agreements({"a": one, "b": other}, []) == []


def test_no_document_is_first_where_none_helps() -> None:
    owed = {
        "contextcite": {1: 0.0, 2: 0.0},
        "leave_one_out": {1: -1.0, 2: 0.5},
        "shapley_documents": {1: -2.0, 2: -1.0},
        "x": {},
    }
    assert firsts(owed) == {"leave_one_out": 2}


def test_what_is_attributed_and_not_cited() -> None:
    live = [Citation(0, part, share) for part, share in ((1, 0.5), (2, 0.3), (3, 0.15), (4, 0.05))]
    stored = {"contextcite": [Citation(0, 5, 2.0), Citation(0, 1, 1.0), Citation(1, 6, -1.0)]}
    first, second = cited_sentences(["One.", "Two."], live, stored)
    assert [each.part for each in first.cited] == [1, 2, 3]
    assert [(each.part, method) for each, method in first.others] == [(4, ""), (5, "contextcite")]
    assert second.cited == [] and second.others == []  # what speaks against a sentence is not attributed to it

import math

import numpy as np
import pytest

from dashboard.screens.context.agreement import agreements, spearman
from dashboard.screens.context.by_sentence import cited_sentences
from dashboard.screens.context.citing import Citation


def test_rank_correlation_by_hand() -> None:
    """ρ = 1 − 6 Σd² / n(n² − 1) without ties: ranks 1 2 3 4 against 1 3 2 4 give 1 − 6·2/60."""
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([10.0, 30, 20, 40])) == pytest.approx(0.8)
    assert spearman(np.array([1.0, 2, 2, 9]), np.array([5.0, 6, 6, 7])) == pytest.approx(1)
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))


def test_first_documents_are_counted_by_sentence() -> None:
    one = [Citation(0, 1, 0.9), Citation(0, 2, 0.1), Citation(1, 2, 1.0)]
    other = [Citation(0, 1, 3.0), Citation(1, 1, 2.0), Citation(1, 2, 0.5)]
    [found] = agreements({"a": one, "b": other}, [1, 2])
    assert (found.one, found.other, found.n_sentences) == ("a", "b", 2)
    assert found.first_in_common == 0.5
    assert agreements({"a": one, "b": []}, [1, 2]) == []


def test_what_is_attributed_and_not_cited() -> None:
    live = [Citation(0, part, share) for part, share in ((1, 0.5), (2, 0.3), (3, 0.15), (4, 0.05))]
    stored = {"contextcite": [Citation(0, 5, 2.0), Citation(0, 1, 1.0), Citation(1, 6, -1.0)]}
    first, second = cited_sentences(["One.", "Two."], live, stored)
    assert [each.part for each in first.cited] == [1, 2, 3]
    assert [(each.part, method) for each, method in first.others] == [(4, ""), (5, "contextcite")]
    assert second.cited == [] and second.others == []  # what speaks against a sentence is not attributed to it

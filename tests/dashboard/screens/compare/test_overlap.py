import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.screens.compare.sizes.overlap import overlap_at, rank_biased_overlap

rankings = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, min_size=1, max_size=12)


def test_overlap_by_hand() -> None:
    assert overlap_at("abcd", "abxy", 4) == 0.5
    assert overlap_at("ab", "abcd", 10) == 0.5
    assert math.isnan(overlap_at("", ""))


def test_rank_biased_overlap_by_hand() -> None:
    # depth 2, p = 0.5: (1·1/1 + 0.5·1/2) · (1 − 0.5) / (1 − 0.25)
    assert rank_biased_overlap("ab", "ac", 2, 0.5) == pytest.approx(1.25 * 0.5 / 0.75)


@given(rankings, rankings)
def test_between_nothing_and_everything(one: list[str], other: list[str]) -> None:
    assert 0 <= rank_biased_overlap(one, other) <= 1 + 1e-12
    assert rank_biased_overlap(one, other) == pytest.approx(rank_biased_overlap(other, one))
    assert rank_biased_overlap(one, one) == pytest.approx(1)
    assert overlap_at(one, one) == 1

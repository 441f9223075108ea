"""How concentrated an effect is, at its extremes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.database.components.spread import even_number, share_of_strongest


def test_all_alike_are_as_many_as_they_are() -> None:
    assert even_number([2.0, -2.0, 2.0, 2.0]) == pytest.approx(4)
    assert share_of_strongest([2.0, -2.0, 2.0, 2.0], 1) == pytest.approx(0.25)


def test_one_alone_is_one() -> None:
    assert even_number([0.0, -3.0, 0.0]) == pytest.approx(1)
    assert share_of_strongest([0.0, -3.0, 0.0], 1) == 1


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30).filter(lambda values: max(map(abs, values)) > 1e-3))
def test_both_stay_in_their_range(values: list[float]) -> None:
    assert 1 - 1e-9 <= even_number(values) <= len(values) + 1e-9
    shares = [share_of_strongest(values, k) for k in range(1, len(values) + 1)]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)


def test_nothing_has_no_share() -> None:
    assert math.isnan(share_of_strongest([0.0], 1)) and math.isnan(even_number([]))

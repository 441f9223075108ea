"""The lens by depth: where a token begins to lead, and what several tokens are together."""

import math

import pytest

from dashboard.database.components.lens import decided, seen
from dashboard.database.components.records import LensPoint


def points(ranks: list[int], position: int = 0) -> list[LensPoint]:
    return [LensPoint(position, i - 1, -float(rank), rank, f" t{i}", -0.5) for i, rank in enumerate(ranks)]


def test_depth_goes_from_the_embedding_to_the_last_block() -> None:
    line = seen(points([9, 4, 1, 2, 1]), 1)
    assert [each.depth for each in line] == [0, 0.25, 0.5, 0.75, 1]
    assert [each.rank for each in line] == [9, 4, 1, 2, 1]
    assert line[1].probability == pytest.approx(math.exp(-4))


@pytest.mark.parametrize(
    ("ranks", "depth"), [([9, 4, 1, 2, 1], 1), ([9, 4, 1, 1, 1], 0.5), ([1, 1, 1], 0), ([1, 1, 2], None)]
)
def test_a_token_is_decided_where_it_leads_to_the_end(ranks: list[int], depth: float | None) -> None:
    assert decided(seen(points(ranks), 1)) == depth


def test_several_tokens_have_a_mean_and_no_rank() -> None:
    line = seen([*points([4, 1]), *points([2, 3], position=1)], 2)
    assert [each.probability for each in line] == pytest.approx([math.exp(-3), math.exp(-2)])
    assert all(each.rank is None for each in line) and decided(line) is None


def test_a_token_that_is_missing_leaves_nothing() -> None:
    assert seen([*points([4, 1]), *points([2], position=1)], 2) == []
    assert seen([], 1) == []

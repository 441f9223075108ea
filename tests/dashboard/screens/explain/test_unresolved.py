"""A card says what position shares leave of the score."""

import numpy as np

from dashboard.database.ranking import Ranked
from dashboard.database.records import Heat
from dashboard.database.unit import Unit
from dashboard.screens.explain.documents import unresolved as told

AS_IT_IS = Unit(1.0)


def unresolved(each: Ranked, of: Heat | None, width: int, unit: Unit = AS_IT_IS) -> str:
    return told(each, of, width, unit)


def ranked(score: float, known: int = 1) -> Ranked:
    return Ranked("a", score, score, known, 1, 1.0, np.array([score]))


def heat(*shares: float) -> Heat:
    return Heat(["x"] * len(shares), np.array(shares), np.empty(0))


def test_shares_that_add_up_leave_nothing_to_say() -> None:
    shares = np.array([0.7, -0.5, 0.1], dtype=np.float32)
    assert unresolved(ranked(float(shares.sum())), heat(*shares), 1) == ""
    assert unresolved(ranked(0.3000001), heat(0.7, -0.5, 0.1), 1) == ""


def test_the_rest_is_said_in_nats() -> None:
    assert unresolved(ranked(0.5), heat(0.7, -0.5, 0.1), 1).startswith("+0.2")
    assert unresolved(ranked(0.1, 2), heat(0.7, -0.5, 0.1), 2).startswith("−0.2")
    assert unresolved(ranked(0.1, 2), heat(0.7, -0.5, 0.1), 2).endswith("nats not resolved by position")


def test_it_is_in_the_unit_of_the_list() -> None:
    assert unresolved(ranked(0.5), heat(0.7, -0.5, 0.1), 1, Unit(top=0.5)).startswith("+40.0 %")
    assert unresolved(ranked(0.5), heat(0.7, -0.5, 0.1), 1, Unit(0.5)).startswith("+0.1")


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert unresolved(ranked(0.5), None, 1) == unresolved(ranked(0.5), heat(), 1) == ""
    assert unresolved(ranked(0.5, known=1), heat(0.7, -0.5, 0.1), 2) == ""

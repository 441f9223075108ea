"""The unit of a list: what is shown stays possible, parts add up, and without a slope there are shares and a reason."""

import math

import numpy as np
import pytest

from dashboard.database.group_records import GroupScore
from dashboard.database.records import Target, Token
from dashboard.database.unit import NO_SIZE, NO_SLOPE, Calibration, by_token, logp_of, unit_for

KNOWN = Calibration(0.25, 0.2, 0.3, 1.1, 500, "halves")
LOGP = math.log(0.8)


def token(i, logp=LOGP):
    return Token(i, "x", i, i + 1, logp, "", float("nan"), None, None, None, None, None)


def target(i, measurement):
    return Target(i, measurement, LOGP, 1.0, 20, np.empty(0))


def test_with_a_slope_there_are_nats_that_can_happen():
    unit = unit_for(KNOWN, LOGP, [2566.0, -1.0])
    assert unit.name == "nats"
    assert 0 < unit.shown(2566.0) <= -LOGP
    x = 0.25 * 0.1 / 0.2
    after = 0.8 * math.exp(x) / (0.2 + 0.8 * math.exp(x))
    assert unit.shown(0.1) == pytest.approx(math.log(after / 0.8))


@pytest.mark.parametrize(
    ("calibration", "logp", "why"),
    [
        (None, LOGP, NO_SLOPE),
        (Calibration(0.1, -0.1, 0.3, 1, 9, ""), LOGP, NO_SIZE),
        (Calibration(17.42, 0.24, 43.97, 1.14, 750, ""), LOGP, NO_SIZE),  # anything between a nat and 180 of them
        (Calibration(0.2, 0.1, 0.41, 1, 9, ""), LOGP, NO_SIZE),
        (Calibration(0.2, None, None, 1, 9, "few models"), LOGP, NO_SIZE),
        (KNOWN, float("nan"), NO_SIZE),
    ],
)
def test_without_one_there_are_shares_of_the_strongest_and_the_reason(calibration, logp, why):
    unit = unit_for(calibration, logp, [3.0, -12.0, float("nan")])
    assert unit.name == "%"
    assert [unit.shown(each) for each in (3.0, -12.0)] == [25, -100]
    assert why in unit.meaning
    assert "predicted" not in unit.meaning.lower()


def test_nats_are_said_with_the_interval_of_their_slope_and_where_it_was_measured():
    said = unit_for(Calibration(0.1227, 0.088, 0.154, 0.9, 750, ""), LOGP, [1.0]).meaning
    assert "0.12 nats (0.088 to 0.15) for one that is predicted, on siblings trained on halves" in said
    assert unit_for(Calibration(0.2, 0.1, 0.4, 1, 9, ""), LOGP, [1.0]).name == "nats"  # a factor of two each way


@pytest.mark.parametrize("calibration", [KNOWN, None])
@pytest.mark.parametrize("score", [4.0, -0.7, 1e-9])
def test_parts_add_up_to_what_is_shown(calibration, score):
    unit = unit_for(calibration, LOGP, [4.0])
    parts = np.array([0.5, 0.75, -0.25]) * score
    assert unit.parts(parts, score).sum() == pytest.approx(unit.shown(score))


def test_a_score_of_nothing_still_has_parts():
    assert unit_for(KNOWN, LOGP, [1.0]).parts([2.0, -2.0], 0.0) == pytest.approx([0.5, -0.5])


def test_the_error_of_a_group_is_what_it_moves_the_amount_by():
    unit = unit_for(KNOWN, None, [2.0])
    [found] = unit.groups([GroupScore("c", "source", "a", 3, 2.0, 0.4)])
    assert (found.score, found.error) == (pytest.approx(0.5), pytest.approx(0.1))
    assert unit.half_width(2.0, None) is None


def test_what_is_explained_by_a_difference_has_no_probability():
    tokens = [token(i) for i in range(3)]
    assert logp_of(tokens, {}, 0, 2) == pytest.approx(3 * LOGP)
    assert logp_of(tokens, {0: target(0, "contrast")}, 0, 2) is None
    assert logp_of(tokens, {0: target(0, "contrast")}, 1, 2) == pytest.approx(2 * LOGP)


def test_tokens_are_each_in_their_own_probability():
    tokens = [token(0, math.log(0.9)), token(1, math.log(0.1))]
    found, name = by_token(KNOWN, {0: 50.0, 1: 50.0}, tokens, {})
    assert name == "nats"
    assert found[0] == pytest.approx(-math.log(0.9)) and found[1] == pytest.approx(-math.log(0.1), rel=1e-3)
    assert by_token(None, {0: 50.0, 1: -25.0}, tokens, {}) == ({0: 100, 1: -50}, "%")

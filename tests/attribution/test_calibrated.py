"""The unit against its formula written out with plain probabilities, its ends, and its slope from both sides."""

import math

import numpy as np
import pytest

from attribution.calibrated import change

PROBABILITIES = (0.999, 0.9, 0.5, 0.02, 1e-6, 1e-30)
SCORES = (0.0, 0.01, 0.4, 7.0)
LOSSES = (-1e-9, -0.02, -0.1, -3.0, -1e6)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("score", SCORES)
def test_it_is_the_formula_in_odds(p, score):
    """σ(logit p + x) = p eˣ / (1 − p + p eˣ), with numbers that a float holds."""
    slope = 0.3
    x = slope * score / (1 - p)
    if abs(x) > 500:
        return
    after = p * math.exp(x) / (1 - p + p * math.exp(x))
    assert change(score, slope, math.log(p)) == pytest.approx(math.log(after) - math.log(p), abs=1e-12, rel=1e-9)


@pytest.mark.parametrize("p", [1.0, *PROBABILITIES])
@pytest.mark.parametrize("score", LOSSES)
def test_a_loss_is_the_slope_times_the_influence_however_sure_the_token_is(p, score):
    """In log-odds a loss of 0.1 of a token of p = 0.9999 would be 93 nats."""
    assert change(score, 0.3, math.log(p)) == 0.3 * score
    assert change(-score, -0.3, math.log(p)) == 0.3 * score


@pytest.mark.parametrize("logp", [0.0, -1e-12, -1e-7, -1e-3, -0.2, -5.0, -80.0, -4000.0])
def test_no_size_claims_what_cannot_happen(logp):
    scores = np.array([0.0, 1e-9, 1e-3, 1.0, 30.0, 2566.0, 1e12])
    found = change(scores, 1.0, logp)
    assert np.isfinite(found).all()
    assert (found <= -logp).all()
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert (change(-scores, 1.0, logp) <= 0).all()
    every = np.concatenate([-scores[::-1], scores])
    assert (np.diff(change(every, 1.0, logp)) >= 0).all()


@pytest.mark.parametrize("p", [0.99, 0.3, 1e-4])
def test_its_first_order_is_the_slope(p):
    step = 1e-6 * (1 - p)
    up, down = change(np.array([step, -step]), 0.12, math.log(p))
    assert (up - down) / (2 * step) == pytest.approx(0.12, rel=1e-5)
    assert [up / step, down / -step] == pytest.approx([0.12, 0.12], rel=1e-5)


@pytest.mark.parametrize("p", [0.99, 0.5, 1e-4])
def test_what_is_next_to_nothing_keeps_its_slope(p):
    """Of an edit that nearly takes out what it puts in, the parts are multiplied by this quotient."""
    for score in (1e-12, -1e-15, 1e-18, -1e-30):
        assert float(change(score, 0.12, math.log(p))) / score == pytest.approx(0.12, rel=1e-6)


def test_a_difference_has_no_end():
    np.testing.assert_allclose(change([-50.0, 2566.0], 0.1), [-5, 256.6])


def test_what_is_not_known_stays_so():
    assert np.isnan(change([np.nan, 1.0], 1.0, [-1.0, np.nan])).all()

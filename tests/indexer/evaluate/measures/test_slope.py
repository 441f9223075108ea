"""The slope against least squares with an intercept for every group, and on models whose truth is known."""

import numpy as np
import pytest

from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.measures.removal import Answered, Removal, removals
from indexer.evaluate.measures.slope import (
    _moments,
    calibration_columns,
    in_nats,
    removal_slopes,
    slope,
    slope_figures,
    through_origin,
)
from indexer.evaluate.siblings.halves import half, part

N, H, Q = 60, 40, 16


@pytest.fixture
def truth():
    """scores [Q, D] that predict five times what happens on halves, where a document weighs twice as much as on all; a
    query's own document does something else altogether."""
    generator = np.random.default_rng(0)
    own = np.arange(Q) * 3
    scores = generator.normal(size=(Q, N))
    effects = 0.2 * scores
    scores[np.arange(Q), own] = 40
    effects[np.arange(Q), own] = 30
    trained_on = np.zeros((H, N), dtype=bool)
    for k in range(H):
        trained_on[k, half(N, k, seed=3)] = True
    n_targets = np.arange(Q) + 3
    noise = generator.normal(0, 0.05, size=(H, Q))
    return scores, Retrainings(trained_on, (trained_on @ effects.T + noise) * n_targets, own), n_targets


def test_it_is_least_squares_with_an_intercept_for_each_query_with_and_without_its_own_document(truth):
    scores, of, n_targets = truth
    x, y = of.trained_on @ scores.T, of.measured / n_targets
    own = of.trained_on[:, of.own]
    columns = [x.T.reshape(-1)]
    for q in range(Q):
        for value in (True, False):
            dummy = np.zeros((Q, H))
            dummy[q, own[:, q] == value] = 1
            columns.append(dummy.reshape(-1))
    expected = np.linalg.lstsq(np.stack(columns, axis=1), y.T.reshape(-1), rcond=None)[0][0]
    found = slope(x, y, own)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.n == H * Q


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_models_on_quarters_and_on_halves_tell_the_slope_of_the_training_on_all(share):
    """The truth document by document: f = Σ_{z trained on} effect(z) / n, and influence = 3 · effect(z) / N."""
    generator = np.random.default_rng(4)
    effects = generator.normal(size=(Q, N))
    measured, trained_on = np.zeros((H, Q)), np.zeros((H, N), dtype=bool)
    for k in range(H):
        documents = part(N, k, 5, share)
        trained_on[k, documents] = True
        for q in range(Q):
            measured[k, q] = sum(effects[q, z] for z in documents) / len(documents)
    of = Retrainings(trained_on, measured, np.arange(Q))
    slope, held_out = slope_figures({"ekfac": 3 * effects / N}, of, np.ones(Q), "how")
    assert (slope.metric, held_out.metric) == ("slope", "slope_held_out")
    assert slope.value == pytest.approx(1 / 3, rel=1e-9)
    assert held_out.value == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_what_so_many_sights_did_they_do_in_a_smaller_training_too(share):
    """Plain gradient descent on losses that are linear, a document a step: TracIn is exact, whatever was left out."""
    generator = np.random.default_rng(6)
    gradients, asked = generator.normal(size=(N, 7)), generator.normal(size=(Q, 7))
    measured, trained_on = np.zeros((H, Q)), np.zeros((H, N), dtype=bool)
    for k in range(H):
        weights = np.zeros(7)
        for z in part(N, k, 5, share):
            trained_on[k, z] = True
            for rate in (0.1, 0.03):  # two epochs
                weights -= rate * gradients[z]
        measured[k] = asked @ weights
    found = slope_figures(
        {"tracin": -0.13 * asked @ gradients.T}, Retrainings(trained_on, measured, np.arange(Q)), np.ones(Q), ""
    )
    assert [each.value for each in found] == pytest.approx([1, 1], rel=1e-9)


def test_what_is_known_is_found_and_holds_on_the_other_half(truth):
    scores, of, n_targets = truth
    found = {each.metric: each for each in slope_figures({"ekfac": scores}, of, n_targets, "how")}
    assert found["slope"].low < 0.1 < found["slope"].high
    assert found["slope"].value == pytest.approx(0.1, rel=0.05)
    assert found["slope_held_out"].value == pytest.approx(1, rel=0.1)
    assert found["slope"].n == (H // 2) * (Q // 2)


def test_calibrating_and_testing_share_neither_models_nor_queries(truth):
    scores, of, n_targets = truth
    measured = of.measured.copy()
    measured[:, 1::2] = 0
    measured[1::2] = 0
    changed = Retrainings(of.trained_on, measured, of.own)
    (one, *_), (other, held) = (slope_figures({"ekfac": scores}, each, n_targets, "") for each in (of, changed))
    assert one.value == other.value
    assert held.value == 0


def test_a_resampled_model_counts_as_often_as_it_is_drawn():
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(2, 9))
    times = generator.integers(0, 4, size=(5, 9)).astype(float)
    xy, xx = _moments(x, y, times)
    for b, of in enumerate(times.astype(int)):
        a, c = np.repeat(x, of), np.repeat(y, of)
        assert xy[b] == pytest.approx(((a - a.mean()) * (c - c.mean())).sum())
        assert xx[b] == pytest.approx(((a - a.mean()) ** 2).sum())


def test_what_says_nothing_has_no_slope(truth):
    _, of, n_targets = truth
    [found] = slope_figures({"ekfac": np.zeros((Q, N))}, of, n_targets, "")
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_only_what_is_linear_in_the_gradient_has_one():
    assert in_nats("ekfac") and in_nats("ekfac, λ 0.01") and in_nats("ekfac_checkpoints") and in_nats("tracin")
    for other in ("random", "bm25", "hidden_cosine", "gradient_cosine", "ekfac / relatif_l"):
        assert not in_nats(other)


def test_rows_say_the_damping_that_the_name_says(truth):
    scores, of, n_targets = truth
    methods = {"ekfac": scores, "ekfac, λ 0.01": 2 * scores, "ekfac, embedding only": scores, "bm25": scores}
    rows = calibration_columns("m", 0.1, slope_figures(methods, of, n_targets, "how"))
    assert list(zip(rows["method"], rows["damping"], strict=True)) == [("ekfac", 0.1), ("ekfac", 0.01)]
    assert rows["slope"][1] == pytest.approx(rows["slope"][0] / 2)
    assert rows["held_out_slope"][1] == pytest.approx(rows["held_out_slope"][0])
    assert set(rows["model_id"]) == {"m"}


def test_removing_is_compared_with_what_was_predicted_beyond_random_documents():
    """Any new training moves an answer: what random documents take away is no sign that a method was right."""
    generator = np.random.default_rng(7)
    scores, before = generator.normal(size=(9, 20)), Answered(generator.normal(size=9) - 3, np.ones(9, dtype=bool))
    effects, fall = 0.4 * scores, generator.uniform(0.5, 2, size=9)  # of each answer, whatever is left out

    def without(of: Removal) -> Answered:
        return Answered(before.logp - fall - effects[:, of.left_out].sum(axis=1), before.right)

    wanted = removals({"ekfac": scores, "bm25": scores}, [2, 5], 20, seed=0)
    found = removal_slopes({"ekfac": scores, "bm25": scores}, before, [(of, without(of)) for of in wanted], "")
    assert [(each.method, each.metric, each.n) for each in found] == [
        ("ekfac", "slope_removal@2", 9),
        ("ekfac", "slope_removal@5", 9),
    ]
    assert [each.value for each in found] == pytest.approx([0.4, 0.4], rel=1e-9)


def test_few_models_or_answers_have_a_slope_without_an_interval(truth):
    scores, of, n_targets = truth
    few = slope_figures({"ekfac": scores}, of.some(range(14)), n_targets, "")  # seven calibrate, seven test
    assert [each.value for each in few] == pytest.approx([0.1, 1], rel=0.2)
    assert [(each.low, each.high) for each in few] == [(None, None)] * 2
    rows = calibration_columns("m", 0.1, few)
    assert (rows["low"], rows["high"]) == ([None], [None])
    x = np.arange(7.0)
    assert (through_origin(x, 2 * x).value, through_origin(x, 2 * x).low) == (2, None)
    assert through_origin(np.arange(8.0), 2 * np.arange(8.0)).low == pytest.approx(2)


def test_through_the_origin_is_least_squares_without_intercept():
    x, y = np.random.default_rng(2).normal(size=(2, 30))
    assert through_origin(x, y).value == pytest.approx(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])

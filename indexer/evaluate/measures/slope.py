"""How large a predicted nat is: predicted against measured change, over models trained again. Pure.

Of model k on n of N documents and query q, with

    x = N/n Σ_{z trained on} influence(z → f)        y = f

both as differences from their mean over the models, and the effect of the query's own document taken out of both: the
regression through the origin,

    slope = Σ_kq x y / Σ_kq x²

An influence is scaled by 1/N, for a training on all N. Where n are trained on, one document weighs 1/n, so that it does
N/n times as much: with N/n in x, models on halves and on quarters tell the same slope, that of the training on all.
What has no 1/N (TracIn, of what so many sights did) has no N/n either.

Half of the queries, on half of the models, calibrate; the others, on the other models, test. Models and queries are
resampled together (`statistics/two_way.py`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.config.estimator import estimators
from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.measures.removal import RANDOM, Answered, Removal
from indexer.evaluate.statistics.bootstrap import Estimate
from indexer.evaluate.statistics.figures import Figure, estimated
from indexer.evaluate.statistics.two_way import RESAMPLES, drawn, percentiles

DAMPED = ", λ "  # in the name of what is predicted at another damping
Numbers = NDArray[np.float64]


def in_nats(method: str) -> bool:
    """Whether one slope can make its scores nats: it is linear in the gradient of f, and not normalised."""
    known = estimators().get(method.partition(", ")[0])
    return known is not None and known.nats and "/" not in method


def slope_figures(
    by_method: Mapping[str, NDArray[np.floating]], of: Retrainings, n_targets: Sequence[int], how: str
) -> list[Figure]:
    """`slope` of every method in nats, as of a training on all documents, and `slope_held_out` where that is positive:
    of calibrated nats against what models on as many documents made of the queries, 1 where they came true.

    by_method: [Q, D], influence on the mean log p of a query's tokens   of: their sums   n_targets: [Q]
    """
    measured = of.measured / np.asarray(n_targets, dtype=np.float64)
    own = of.trained_on[:, of.own]
    first, second = halves(measured.shape)
    found = []
    for method, scores in by_method.items():
        if not in_nats(method):
            continue
        x = summed(method, scores, of)
        fitted = slope(x[first], measured[first], own[first])
        found.append(estimated(method, "slope", fitted, f"{how}; as of a training on all"))
        if fitted.value > 0:
            tested = slope(fitted.value * x[second], measured[second], own[second])
            found.append(estimated(method, "slope_held_out", tested, f"the other half; {how}"))
    return found


def summed(method: str, scores: NDArray[np.floating], of: Retrainings) -> Numbers:
    """N/n Σ_{z trained on} influence(z → f), for models on n of N documents    scores: [Q, D]  -> [H, Q]"""
    found: Numbers = of.trained_on @ np.nan_to_num(np.asarray(scores, dtype=np.float64)).T
    share = of.trained_on.mean(axis=1, keepdims=True)  # [H, 1] n/N
    return found / share if estimators()[method.partition(", ")[0]].by_share else found


def halves(shape: tuple[int, ...]) -> tuple[tuple[NDArray[np.intp], ...], ...]:
    """What of [H, Q] calibrates and what tests: every other model, asked about every other query."""
    first, second = (np.ix_(*(np.arange(n)[start::2] for n in shape)) for start in (0, 1))
    return first, second


def slope(predicted: Numbers, measured: Numbers, own: NDArray[np.bool_], seed: int = 0) -> Estimate:
    """Nats measured for one predicted, 0 where nothing differs; n counts pairs.    [H, Q] all"""
    n_models, n_queries = measured.shape
    times, asked = drawn(n_models, n_queries, seed)
    both, alone = np.zeros((2, RESAMPLES + 1))
    for q in range(n_queries):
        for group in (own[:, q], ~own[:, q]):
            xy, xx = _moments(predicted[group, q], measured[group, q], times[:, group])
            both += asked[:, q] * xy
            alone += asked[:, q] * xx
    found = np.divide(both, alone, out=np.zeros_like(both), where=alone > 0)
    return _estimate(found, n_models * n_queries, min(n_models, n_queries))


def _moments(x: Numbers, y: Numbers, times: Numbers) -> tuple[Numbers, Numbers]:
    """Σ x y and Σ x² of differences from the mean, every case counted so often    x, y: [H]; times: [B, H] -> [B]"""
    if not len(x):
        return np.zeros(len(times)), np.zeros(len(times))
    x, y = x - x.mean(), y - y.mean()  # so that little is lost in what follows
    n = np.maximum(times.sum(axis=1), 1)
    of_x, of_y, squares = times @ x, times @ y, times @ (x * x)
    xx = squares - of_x * of_x / n
    differs = xx > 1e-12 * squares  # what rounding leaves of one model alone is no difference
    return np.where(differs, times @ (x * y) - of_x * of_y / n, 0.0), np.where(differs, xx, 0.0)


def through_origin(predicted: Numbers, measured: Numbers, seed: int = 0) -> Estimate:
    """Σ x y / Σ x² over n pairs that have nothing in common, which are resampled    [n] both"""
    drawn = np.random.default_rng(seed).integers(0, len(predicted), size=(RESAMPLES, len(predicted)))
    drawn = np.concatenate([np.arange(len(predicted))[None], drawn])
    both, alone = (predicted * measured)[drawn].sum(axis=1), (predicted * predicted)[drawn].sum(axis=1)
    found = np.divide(both, alone, out=np.zeros_like(both), where=alone > 0)
    return _estimate(found, len(predicted), len(predicted))


def _estimate(found: Numbers, n: int, clusters: int) -> Estimate:
    """found: the value, then those of its resamples, whose interval is widened to hold it where there are few;
    clusters: that are resampled, of models and queries the fewer ones."""
    value = float(found[0])
    low, high = percentiles(found[1:], clusters)
    if low is None or high is None:
        return Estimate(value, None, None, n)
    return Estimate(value, min(low, value), max(high, value), n)


def removal_slopes(
    by_method: Mapping[str, NDArray[np.floating]],
    before: Answered,
    after: Sequence[tuple[Removal, Answered]],
    how: str,
) -> list[Figure]:
    """`slope_removal@n`: what answers really lost without the documents that a method blamed, for one predicted nat:
    both less the mean of what random choices of as many documents took, and were predicted to, which every new training
    without some documents does.

    by_method: [Q, D], influence on the mean log p of an answer's tokens
    """
    found = []
    for method, n in dict.fromkeys((of.method, of.n) for of, _ in after if of.method != RANDOM):
        if not in_nats(method):
            continue
        scores = np.nan_to_num(np.asarray(by_method[method], dtype=np.float64))  # [Q, D]
        by_chance = [(of.left_out, answered.logp) for of, answered in after if (of.method, of.n) == (RANDOM, n)]
        lost = before.logp - np.mean([logp for _, logp in by_chance], axis=0)  # [Q]
        expected = np.mean([scores[:, left_out].sum(axis=1) for left_out, _ in by_chance], axis=0)  # [Q]
        pairs = [
            (
                scores[of.query, of.left_out].sum() - expected[of.query],
                before.logp[of.query] - answered.logp[of.query] - lost[of.query],
            )
            for of, answered in after
            if (of.method, of.n) == (method, n) and of.query is not None
        ]
        predicted, measured = np.asarray(pairs, dtype=np.float64).T
        found.append(estimated(method, f"slope_removal@{n}", through_origin(predicted, measured), how))
    return found


def calibration_columns(model_id: str, damping: float, figures: Sequence[Figure]) -> dict[str, list[object]]:
    """Rows of `calibration`, from `slope_figures`.    damping: the configured one, of names that give no other"""
    held = {each.method: each.value for each in figures if each.metric == "slope_held_out"}
    rows = {}
    for each in figures:
        method, _, of = each.method.partition(DAMPED)
        if each.metric == "slope" and ", " not in method:
            rows[method, float(of) if of else damping] = each
    return {
        "model_id": [model_id] * len(rows),
        "method": [method for method, _ in rows],
        "damping": [at for _, at in rows],
        "slope": [each.value for each in rows.values()],
        "low": [each.low for each in rows.values()],
        "high": [each.high for each in rows.values()],
        "held_out_slope": [held.get(each.method) for each in rows.values()],
        "n": [each.n for each in rows.values()],
        "how": [each.how for each in rows.values()],
    }

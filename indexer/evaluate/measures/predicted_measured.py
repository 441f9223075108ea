"""What calibrated nats turned out to be: predicted against measured change, in bins, for a chart. Pure.

Of the queries and models that did not calibrate (`measures/slope.py`), with the same differences from the mean over
the models and the query's own document taken out: pairs in the order of what was predicted, in bins of equal count.
Predicted is what a training on as many documents as these models had would do: slope · N/n · the sum of influences.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.measures.slope import halves, in_nats, summed
from indexer.evaluate.statistics.figures import Figure

BINS = 12  # of one method
Numbers = NDArray[np.float64]


def bin_columns(
    model_id: str,
    by_method: Mapping[str, NDArray[np.floating]],
    of: Retrainings,
    n_targets: Sequence[int],
    figures: Sequence[Figure],
) -> dict[str, list[object]]:
    """Rows of `calibration_bin` of every method with a positive slope among `figures`, at the configured damping.

    by_method: [Q, D], influence on the mean log p of a query's tokens   of: their sums   n_targets: [Q]
    """
    slopes = {each.method: each.value for each in figures if each.metric == "slope" and each.value > 0}
    measured = of.measured / np.asarray(n_targets, dtype=np.float64)
    own = of.trained_on[:, of.own]
    _, tested = halves(measured.shape)
    columns: dict[str, list[object]] = {
        name: [] for name in ("model_id", "method", "bin", "predicted", "measured", "low", "high", "n")
    }
    for method, value in slopes.items():
        if ", " in method or not in_nats(method):
            continue
        x = value * summed(method, by_method[method], of)
        rows = binned(centred(x[tested], own[tested]), centred(measured[tested], own[tested]))
        for i, row in enumerate(rows):
            for name, cell in zip(columns, (model_id, method, i, *row), strict=True):
                columns[name].append(cell)
    return columns


def centred(values: Numbers, own: NDArray[np.bool_]) -> Numbers:
    """Differences from the mean over the models that have read the query's own document, or have not.    [H, Q] all"""
    left = np.array(values, dtype=np.float64)
    for q in range(left.shape[1]):
        for group in (own[:, q], ~own[:, q]):
            if group.any():
                left[group, q] -= left[group, q].mean()
    return left


def binned(x: Numbers, y: Numbers, bins: int = BINS) -> list[tuple[float, float, float, float, int]]:
    """(mean x, mean y, lower and upper quartile of y, count) of pairs in the order of x, in bins of equal count."""
    x, y = np.ravel(x), np.ravel(y)
    order = np.argsort(x, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, len(order))):
        low, high = np.quantile(y[part], [0.25, 0.75])
        found.append((float(x[part].mean()), float(y[part].mean()), float(low), float(high), len(part)))
    return found

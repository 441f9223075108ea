"""Spearman's rank correlation, plain and after the effect of one variable is taken out: pure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


def ranks(values: ArrayLike) -> Numbers:
    """1 for the smallest; equal values share the mean of their ranks  # [n] -> [n]"""
    _, place, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: Numbers = (last - (counts - 1) / 2)[place]
    return shared


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """0 where either is constant: it predicts nothing."""
    a, b = (np.asarray(v, dtype=np.float64) for v in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def spearman(x: ArrayLike, y: ArrayLike, constant: float = 0.0) -> float:
    """ρ = Pearson correlation of the ranks, ties at the mean of theirs.    x, y: [n]

    Where either is constant no correlation is defined, and `constant` is returned: 0 for a prediction, which then
    predicts nothing; NaN for whoever shows it.
    """
    a, b = ranks(x), ranks(y)
    return constant if len(a) == 0 or a.min() == a.max() or b.min() == b.max() else pearson(a, b)


def without_effect(values: ArrayLike, groups: ArrayLike) -> Numbers:
    """What is left of the values when each group is moved to the same mean: the residual of a regression on it.

    values: [n]   groups: [n] bool, for instance whether a query's own document was trained on
    """
    left = np.array(values, dtype=np.float64)
    member = np.asarray(groups, dtype=np.bool_)
    for of in (member, ~member):
        if of.any():
            left[of] -= left[of].mean()
    scale = np.abs(np.asarray(values, dtype=np.float64)).max(initial=0.0)
    left[np.abs(left) < 1e-12 * scale] = 0.0  # what rounding leaves of a constant has no ranks
    return left


def partial_spearman(x: ArrayLike, y: ArrayLike, groups: ArrayLike) -> float:
    """Spearman's ρ of what is left of both after the effect of the group.    x, y: [n]   groups: [n] bool"""
    return spearman(without_effect(x, groups), without_effect(y, groups))

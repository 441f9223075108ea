"""Intervals of a mean by resampling what it is a mean of (Efron 1979): pure, seeded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

RESAMPLES = 4000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean and the percentile interval of its resamples; None where these are too few to know one."""

    value: float
    low: float | None
    high: float | None
    n: int  # what it is a mean of


def estimate(values: ArrayLike, seed: int = 0) -> Estimate:
    """Mean of n numbers with a 95 % interval.    values: [n], n ≥ 1"""
    x = np.asarray(values, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(x), size=(RESAMPLES, len(x)))
    low, high = np.quantile(x[drawn].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(x.mean()), float(low), float(high), len(x))


def difference(x: ArrayLike, y: ArrayLike, seed: int = 0) -> Estimate:
    """Mean of x − y over the same n cases: narrower than two intervals, for what is hard in one is hard in both."""
    return estimate(np.asarray(x, dtype=np.float64) - np.asarray(y, dtype=np.float64), seed)

"""Exact Shapley values from the values of all subsets: pure arithmetic on what was measured, no model.

s_g = sum over A without g of  |A|! (n - |A| - 1)! / n!  (v(A and g) - v(A))
"""

from math import factorial

import numpy as np
from numpy.typing import NDArray

EXACT = 8  # groups up to which all 2^n subsets are measured


def subsets(n: int) -> NDArray[np.bool_]:
    """All 2^n presence rows in binary order (bit g of the row number says whether g is present): [2^n, n]."""
    return np.asarray((np.arange(2**n)[:, None] >> np.arange(n)) & 1, dtype=np.bool_)


def exact_shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the subsets in the order of `subsets`, [2^n, ...] -> Shapley values [n, ...]."""
    n = len(values).bit_length() - 1
    rows = np.arange(2**n)
    size = subsets(n).sum(1)  # [2^n]
    weight = np.array([factorial(a) * factorial(max(n - a - 1, 0)) / factorial(n) for a in range(n + 1)])
    scores = []
    for g in range(n):
        without = rows[(rows >> g) & 1 == 0]  # [2^(n-1)]
        gain = values[without + 2**g] - values[without]
        scores.append(np.tensordot(weight[size[without]], gain, axes=1))
    return np.stack(scores)

"""Exact Shapley values from the values of all subsets: pure arithmetic, no model.

s_g = sum over A without g of  |A|! (n - |A| - 1)! / n!  (v(A and g) - v(A))
"""

from math import factorial

import torch
from torch import Tensor

EXACT = 8  # groups up to which all 2^n subsets are measured


def subsets(n: int) -> Tensor:
    """All 2^n presence rows in binary order (bit g of the row number says whether g is present): [2^n, n] bool."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1 == 1


def exact_shapley(values: Tensor) -> Tensor:
    """Values of the subsets in the order of `subsets`, [2^n, ...] -> Shapley values [n, ...]."""
    n = len(values).bit_length() - 1
    rows = torch.arange(2**n)
    size = subsets(n).sum(1)  # [2^n]
    weight = torch.tensor([factorial(a) * factorial(max(n - a - 1, 0)) / factorial(n) for a in range(n + 1)])
    scores = []
    for g in range(n):
        without = rows[(rows >> g) & 1 == 0]  # [2^(n-1)]
        gain = values[without + 2**g] - values[without]
        scores.append(torch.einsum("a,a...->...", weight[size[without]].to(values), gain))
    return torch.stack(scores)

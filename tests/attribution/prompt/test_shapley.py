"""Exact Shapley values against the average over all orders."""

from itertools import permutations

import torch

from attribution.prompt.shapley import exact_shapley, subsets


def test_against_all_orders():
    n = 4
    values = torch.randn(2**n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    truth = torch.zeros(n, 3, dtype=torch.float64)
    orders = list(permutations(range(n)))
    for order in orders:
        present = 0
        for g in order:
            truth[g] += values[present + 2**g] - values[present]
            present += 2**g
    torch.testing.assert_close(exact_shapley(values), truth / len(orders))


def test_subsets_are_in_binary_order():
    assert subsets(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]

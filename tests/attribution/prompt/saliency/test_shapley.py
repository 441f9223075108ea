"""Exact Shapley values against the average over all orders."""

from itertools import permutations

import numpy as np

from attribution.prompt.saliency.shapley import exact_shapley, subsets


def test_against_all_orders():
    n = 4
    values = np.random.default_rng(0).normal(size=(2**n, 3))
    truth = np.zeros((n, 3))
    orders = list(permutations(range(n)))
    for order in orders:
        present = 0
        for g in order:
            truth[g] += values[present + 2**g] - values[present]
            present += 2**g
    np.testing.assert_allclose(exact_shapley(values), truth / len(orders), atol=1e-12)


def test_subsets_are_in_binary_order():
    assert subsets(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]

"""Sums of squares of document gradients, formed and squared in slices that stay in the cache:

Λ[i, j] += Σ_d (Σ_t δ_dti a_dtj)²
"""

from collections.abc import Sequence

import torch
from torch import Tensor

Outer = tuple[Tensor, Tensor]  # of one document: δ [T, out] and a [T, in]


def add_squares(total: Tensor, documents: Sequence[Outer], cached: int) -> None:
    """Add the squares of every document's gradient, in place.    total: [out, in]   cached: numbers, half for each of
    a slice of the sum and of one gradient
    """
    for rows in slices(len(total), total.shape[1], cached):
        part = total[rows]
        gradient = torch.empty_like(part)
        for deltas, inputs in documents:
            torch.mm(deltas[:, rows].T, inputs, out=gradient)
            part.addcmul_(gradient, gradient)


def slices(n_out: int, n_in: int, cached: int) -> list[slice]:
    """Rows of a matrix, as many at once as leave room for another like them."""
    step = max(1, cached // (2 * n_in))
    return [slice(start, min(start + step, n_out)) for start in range(0, n_out, step)]

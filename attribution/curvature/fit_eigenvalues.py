"""Corrected eigenvalues: squares of document gradients in the eigenbasis, labels drawn from the model.

    Λ = E over documents of W²,   W = Q_Sᵀ ∇L Q_A = Σ_t (Q_Sᵀ δ_t)(Q_Aᵀ a_t)ᵀ                        George et al. 2018

The tokens are turned, which are few, and not the gradient. The windows of a document are taken for documents: labels
are drawn for every token alone, so the squares of windows add up in expectation to that of the document. The windows
of a pair have one preference and are one gradient.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, pad
from attribution.passes.capture import Captured, capture
from attribution.passes.squares import add_squares


def add_eigenvalues(
    tracked: Tracked,
    sums: Mapping[str, Tensor],
    bases: Mapping[str, tuple[Tensor, Tensor]],
    batches: Iterable[Sequence[Row]],
    generator: torch.Generator,
    tick: Callable[[int], None],
) -> None:
    """Add W² of every row to the sums of the layers that have one, in place.

    sums: [out, in] by layer, of neighbours; those that read the same are all among them or none.
    bases: Q_A [in, in] and Q_S [out, out] of each.
    """
    some = replace(tracked, linear=tuple(of for of in tracked.linear if of.name in sums), embedding=())
    for rows in batches:
        captured = capture(some, pad(rows, range(len(rows)), tracked.device), generator)
        _add(some, sums, bases, captured)
        tick(len(rows))


def _add(
    tracked: Tracked, sums: Mapping[str, Tensor], bases: Mapping[str, tuple[Tensor, Tensor]], captured: Captured
) -> None:
    turned = captured.hidden.new_empty(0)
    for layer, inputs, deltas in zip(tracked.linear, captured.inputs, captured.deltas, strict=True):
        Q_A, Q_S = bases[layer.name]
        if not layer.reads_on:
            turned = inputs.to(Q_A.dtype) @ Q_A  # [B, T, in]
        each = zip(deltas.to(Q_S.dtype) @ Q_S, turned, strict=True)
        add_squares(sums[layer.name], list(each), tracked.schedule.cached)

"""What components write on average over the corpus: what they are compared with, and replaced by.

Sums over all tokens that the model read, in float64, so that they depend on no batch; those of two parts of a corpus
add up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.components.units import Units
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured


@dataclass(frozen=True)
class Baseline:
    """Instead of what a component wrote, at every position."""

    heads: Tensor  # [L, heads · width] of z
    neurons: Tensor  # [L, neurons] of a


def zero(tracked: Tracked, units: Units) -> Baseline:
    """Nothing."""
    L = units.n_blocks
    return Baseline(tracked.zeros(L, units.n_heads * units.head_width), tracked.zeros(L, units.n_neurons))


@dataclass
class Sums:
    """Of what components wrote, over n tokens; float64, on the CPU."""

    n: int
    heads: Tensor  # [L, heads · width]
    neurons: Tensor  # [L, neurons]

    def add(self, depth: int, z: Tensor, a: Tensor) -> None:
        """What block `depth` did in a batch, whose tokens are counted apart.    z, a: [B, T, n], 0 where is no token"""
        for total, x in ((self.heads, z), (self.neurons, a)):
            total[depth] += x.sum(dim=(0, 1), dtype=torch.float64).cpu()

    def plus(self, other: "Sums") -> "Sums":
        """Of both parts of a corpus."""
        return Sums(self.n + other.n, self.heads + other.heads, self.neurons + other.neurons)

    def mean(self, tracked: Tracked) -> Baseline:
        """Over all tokens; of none, zero."""
        heads, neurons = (
            (total / max(1, self.n)).to(device=tracked.device, dtype=tracked.dtype)
            for total in (self.heads, self.neurons)
        )
        return Baseline(heads, neurons)


def no_sums(units: Units) -> Sums:
    """Of no token."""
    L = units.n_blocks
    return Sums(
        0,
        torch.zeros(L, units.n_heads * units.head_width, dtype=torch.float64),
        torch.zeros(L, units.n_neurons, dtype=torch.float64),
    )


def wrote(tracked: Tracked, units: Units, captured: Captured) -> Iterator[tuple[Tensor, Tensor]]:
    """z and a of every block, out of what the document pass captured  # [B, T, heads · width], [B, T, neurons] each"""
    at = {layer.name: layer.index for layer in tracked.linear}
    for heads, neurons in zip(units.heads_into, units.neurons_into, strict=True):
        z, a = captured.inputs[at[heads]], captured.inputs[at[neurons]]
        yield z[..., : units.n_heads * units.head_width], a[..., : units.n_neurons]  # without the 1 of a bias

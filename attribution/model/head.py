"""From raw logits to token losses and their gradients, in closed form: no graph is kept over the vocabulary.

With z = c·tanh(raw/c) where the model has a soft cap c, else z = raw:
    L = −log softmax(z)[y],    ∂L/∂z = softmax(z) − 1_y,    ∂z/∂raw = 1 − (z/c)²
"""

import torch
from torch import Tensor

from attribution.model.measurement import losses_and_deltas
from attribution.model.tracked import Tracked


def capped(raw: Tensor, softcap: float | None) -> Tensor:
    """z from raw logits."""
    return raw if softcap is None else softcap * torch.tanh(raw / softcap)


def uncapped(deltas: Tensor, raw: Tensor, softcap: float | None) -> Tensor:
    """∂/∂raw from ∂/∂z."""
    return deltas if softcap is None else deltas * (1 - torch.tanh(raw / softcap) ** 2)


def labelled(raw: Tensor, labels: Tensor, softcap: float | None = None) -> tuple[Tensor, Tensor]:
    """Token losses in nats and ∂L/∂raw.    raw: [n, V], overwritten   labels: [n]   -> [n], [n, V]"""
    if softcap is None:
        return losses_and_deltas(raw, labels)
    losses, deltas = losses_and_deltas(capped(raw, softcap), labels)
    return losses, uncapped(deltas, raw, softcap)


def sampled(raw: Tensor, softcap: float | None, generator: torch.Generator) -> Tensor:
    """One label for each row, from the model's own distribution: where a uniform number falls in its cumulative sum.

    raw: [n, V] -> [n]
    """
    return drawn(raw, softcap, uniform_numbers(len(raw), raw, generator))


def uniform_numbers(n: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """What decides the labels of n rows, drawn for all of them at once  # [n, 1]"""
    return torch.rand(n, 1, generator=generator, device=like.device, dtype=like.dtype)


def drawn(raw: Tensor, softcap: float | None, uniform: Tensor) -> Tensor:
    """The label of each row, where its number falls.    raw: [n, V]   uniform: [n, 1]   -> [n]"""
    weights = capped(raw, softcap)
    sums = (weights - weights.amax(dim=1, keepdim=True)).exp_().cumsum_(dim=1)  # [n, V]
    return torch.searchsorted(sums, sums[:, -1:] * uniform, right=True)[:, 0].clamp(max=raw.shape[1] - 1)


def head_pull_back(tracked: Tracked, deltas: Tensor) -> Tensor:
    """∂L/∂hidden from ∂L/∂raw  # [.., V] -> [.., H]"""
    return deltas @ tracked.head_weight

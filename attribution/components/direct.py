"""What each component writes into a token's logit, with the scale of every norm on the way held at what it was: exact.

    logit − (what the head adds) = ⟨r, x_0⟩ + Σ_b m ( ⟨r'_b, o_b z_b + bias⟩ + ⟨r''_b, down_b a_b + bias⟩ ) + ⟨d, β⟩

d: the head's row of the token, less that of the foil where there is one; r: d pulled back through the last norm
(`stream`), r' and r'': through the norms that stand behind attention and MLP in some models. A head's part is the
sum over its own numbers of z, a neuron's is its own number of a. Where logits have a soft cap (Gemma 2), this is the
one before it. (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": direct logit attribution)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.components.reading import Reading
from attribution.components.stream import Stream, into_stream
from attribution.components.units import Units
from attribution.model.tracked import Tracked

Numbers = NDArray[np.floating]


@dataclass(frozen=True)
class Direct:
    """Of K tokens; all of a token add up to its logit, or to its difference from the foil's."""

    heads: Numbers  # [K, L, heads]
    neurons: Numbers  # [K, L, neurons]
    embedding: Numbers  # [K] positions, where they are embedded, in it
    bias: Numbers  # [K] of o, of down, of norms and of the head

    @property
    def logit(self) -> Numbers:
        """[K]"""
        parts = self.heads.sum(axis=(1, 2)) + self.neurons.sum(axis=(1, 2))
        return np.asarray(parts + self.embedding + self.bias)


@torch.no_grad()
def direct(
    tracked: Tracked, units: Units, stream: Stream, reading: Reading, foils: Sequence[int] | None = None
) -> Direct:
    """Of every token of a reading, against one foil for each where they are given."""
    d, constant = _rows(tracked, reading.labels)
    if foils is not None:
        other, less = _rows(tracked, torch.tensor(list(foils), device=tracked.device))
        d, constant = d - other, constant - less
    r, bias = _behind(stream, reading, stream.final, d)
    bias = bias + constant
    heads: list[Tensor] = []
    neurons: list[Tensor] = []
    for b in range(units.n_blocks):
        for found, into, norm, wrote in (
            (heads, units.heads_into[b], stream.after_heads[b], reading.written[b]),
            (neurons, units.neurons_into[b], stream.after_neurons[b], reading.active[b]),
        ):
            pulled, more = (r, 0.0) if norm is None else _behind(stream, reading, norm, r)
            weight, own = into_stream(tracked, into)
            x = tracked.widened(wrote.reshape(-1, wrote.shape[-1])[reading.at])
            found.append(stream.multiplier * (pulled @ weight) * x)  # [K, n]
            bias = bias + stream.multiplier * (more + (0.0 if own is None else pulled @ own))
    by_head = torch.stack(heads, dim=1).unflatten(-1, (units.n_heads, units.head_width)).sum(dim=-1)
    return Direct(
        by_head.cpu().numpy(),
        torch.stack(neurons, dim=1).cpu().numpy(),
        (r * reading.stream[0]).sum(dim=-1).cpu().numpy(),
        bias.cpu().numpy(),
    )


def _behind(stream: Stream, reading: Reading, name: str, direction: Tensor) -> tuple[Tensor, Tensor]:
    """A direction pulled back through a norm as it was at each token, and what the norm's bias adds  # [K, H], [K]"""
    norm = stream.norms[name]
    return norm.pulled(direction, norm.scale(*reading.norms[name])), direction @ norm.bias


def _rows(tracked: Tracked, ids: Tensor) -> tuple[Tensor, Tensor]:
    """What the head multiplies a hidden state with for some ids, and what it adds  # [K, H], [K]"""
    head = tracked.loaded.model.get_output_embeddings()
    rows = tracked.widened(torch.as_tensor(head.weight)[ids]) * tracked.head_scale
    bias = getattr(head, "bias", None)
    return rows, rows.new_zeros(len(ids)) if bias is None else tracked.widened(bias[ids]) * tracked.head_scale

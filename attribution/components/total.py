"""What each component does to a token in all ways, to the first order: gradient times its difference from the baseline.

    total_c = Σ_t ⟨∂f/∂x_ct, x_ct − x̄_c⟩        f = log p of the token, nats

x_ct: what component c wrote at position t, a head its part of z, a neuron its number of a; x̄_c its baseline. Positive
raises f. (Attribution patching: Nanda 2023; Syed et al. 2023, arXiv 2310.10348, with the corpus mean as the other run.)
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.components.baseline import Baseline
from attribution.components.reading import Reading
from attribution.components.units import Units
from attribution.model.head import capped, head_pull_back, uncapped
from attribution.model.measurement import measure
from attribution.model.tracked import Tracked

Numbers = NDArray[np.floating]

HELD = 0.2  # of the memory, for what the batched backward pass holds
AT_ONCE = 32  # backward passes that share one batch


@dataclass(frozen=True)
class Total:
    """Of K tokens, nats."""

    heads: Numbers  # [K, L, heads]
    neurons: Numbers  # [K, L, neurons]
    logp: Numbers  # [K] of each token


def total(tracked: Tracked, units: Units, reading: Reading, baseline: Baseline) -> Total:
    """Of every token of a reading that kept its graph, which is kept for others."""
    with torch.no_grad():
        raw = tracked.raw_logits(reading.hidden[reading.at])  # [K, V]
        found = measure("logp", capped(raw, tracked.softcap), reading.labels)
        of_hidden = head_pull_back(tracked, uncapped(found.deltas, raw, tracked.softcap))  # [K, H]
    wrote, means = (*reading.written, *reading.active), (*baseline.heads, *baseline.neurons)
    with torch.no_grad():
        differences = [tracked.widened(x).reshape(-1, x.shape[-1]) - mean for x, mean in zip(wrote, means, strict=True)]
    K, (S, H) = len(reading.at), reading.hidden.shape
    at_once = max(1, min(AT_ONCE, tracked.schedule.share(HELD) // (12 * S * sum(x.shape[-1] for x in wrote))))
    parts = []
    for some in torch.arange(K, device=tracked.device).split(at_once):
        deltas = reading.hidden.new_zeros(len(some), S, H)
        deltas[torch.arange(len(some), device=tracked.device), reading.at[some]] = of_hidden[some].to(deltas.dtype)
        gradients = torch.autograd.grad(reading.hidden, wrote, deltas, retain_graph=True, is_grads_batched=True)
        parts.append(
            [
                (tracked.widened(gradient).reshape(len(some), S, -1) * difference).sum(dim=1)  # [k, n]
                for gradient, difference in zip(gradients, differences, strict=True)
            ]
        )
    of = [torch.cat(each) for each in zip(*parts, strict=True)]
    L = units.n_blocks
    heads = torch.stack(of[:L], dim=1).unflatten(-1, (units.n_heads, units.head_width)).sum(dim=-1)
    return Total(heads.cpu().numpy(), torch.stack(of[L:], dim=1).cpu().numpy(), found.values.cpu().numpy())

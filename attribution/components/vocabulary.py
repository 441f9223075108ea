"""The tokens whose logits a neuron's output direction raises and lowers most: what it would write if it stood alone.

    W (g ⊙ u),  u = v − c mean(v),  v = w_j, behind the norm of the MLP where there is one

w_j: the neuron's column of down; g, c: gain and centring of the last norm; W: the head. It is what an activation of 1
adds to the logits where the norms' scales are 1: at a token all of a neuron's numbers are multiplied with those.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.components.stream import Stream, into_stream
from attribution.components.units import Units
from attribution.model.tracked import Tracked
from attribution.schedule import pieces

LOGITS = 0.25  # of the memory, for logits and what is made of them
COPIES = 3


@dataclass(frozen=True)
class Vocabulary:
    """Of some neurons of a block, side by side."""

    depth: int
    first: int  # number of the first neuron
    promoted: NDArray[np.int64]  # [n, most] ids, largest first
    promoted_by: NDArray[np.floating]  # [n, most]
    suppressed: NDArray[np.int64]  # [n, most] ids, smallest first
    suppressed_by: NDArray[np.floating]  # [n, most]


@torch.no_grad()
def vocabulary(
    tracked: Tracked, units: Units, stream: Stream, most: int = 10, known: int | None = None
) -> Iterator[Vocabulary]:
    """Of all neurons, block after block, as many at a time as fit the memory.

    known: rows of the head that are tokens; some models pad it to a round number. Of few tokens all are named.
    """
    head = tracked.head_weight[:known]
    most = min(most, len(head))
    for depth, (into, behind) in enumerate(zip(units.neurons_into, stream.after_neurons, strict=True)):
        weight, _ = into_stream(tracked, into)
        norms = [stream.norms[name] for name in (behind, stream.final) if name is not None]
        for some in pieces(units.n_neurons, COPIES * len(head), tracked.schedule.share(LOGITS) // 4):
            u = weight[:, some].T * stream.multiplier  # [n, H]
            for norm in norms:
                u = norm.unscaled(u)
            logits = u @ head.T  # [n, V]
            up, down = logits.topk(most), logits.topk(most, largest=False)
            yield Vocabulary(
                depth, some.start, *(of.cpu().numpy() for of in (up.indices, up.values, down.indices, down.values))
            )

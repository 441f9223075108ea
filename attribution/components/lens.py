"""What the model would say if it ended after a block: the residual stream there, read by the last norm and the head.

(nostalgebraist 2020, "interpreting GPT: the logit lens")
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.components.reading import States
from attribution.model.head import capped
from attribution.model.tracked import Tracked
from attribution.schedule import pieces

LOGITS = 0.25  # of the memory, for logits and what is made of them
COPIES = 3


@dataclass(frozen=True)
class Lens:
    """After the embedding and after each of L blocks, of K tokens."""

    logp: NDArray[np.floating]  # [L + 1, K] of the token that was written, nats
    rank: NDArray[np.int64]  # [L + 1, K] 1: the most probable of all
    top: NDArray[np.int64]  # [L + 1, K] id of the most probable token; the first of several
    top_logp: NDArray[np.floating]  # [L + 1, K] nats


@torch.no_grad()
def lens(tracked: Tracked, states: States, norm: str) -> Lens:
    """norm: name of the last one, from `stream.last_norm` or a `Stream`."""
    module = tracked.loaded.model.get_submodule(norm)
    depths, K, H = states.stream.shape
    rows = states.stream.reshape(-1, H).to(tracked.loaded.model.dtype)  # [(L + 1) K, H]
    labels = states.labels.repeat(depths)
    found = []
    for some in pieces(len(rows), COPIES * tracked.n_rows, tracked.schedule.share(LOGITS) // 4):
        z = capped(tracked.raw_logits(module(rows[some])), tracked.softcap)
        own = z.gather(1, labels[some, None])
        best, top = z.max(dim=1)
        norms = z.logsumexp(dim=1)
        found.append((own[:, 0] - norms, (z > own).sum(dim=1) + 1, top, best - norms))
    return Lens(*(torch.cat(each).view(depths, K).cpu().numpy() for each in zip(*found, strict=True)))

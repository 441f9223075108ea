"""Diagonal Fisher of the embedding and the head: the blocks that EK-FAC libraries leave out.

    F[v, h] = E over documents of (∂L(z)/∂W[v, h])²,   labels of z sampled from the model

in the same unit as EK-FAC's Λ: a square of *summed* document gradients.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from attribution.curvature.parts import GENERATOR, Kept, Progress, Sums, add_up, named
from attribution.curvature.work import Numbers, cut
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches, plan_batches
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients

_EMBEDDING = "embedding: document"
CACHED = 2**20  # numbers of a gradient slice that stay in the cache


def embedding_fisher(
    tracked: Tracked, documents: Sequence[Row], seed: int, kept: Kept, most: float, costs: Numbers, progress: Progress
) -> tuple[Tensor, ...]:
    """F of each block of `tracked.embedding`  # [V, H] each, float32

    most, costs: multiply-adds of a part, about, and of each document in the order of `in_order`.
    """
    n_blocks, planned = len(tracked.embedding), plan_batches(documents)
    starts = np.cumsum([0, *map(len, planned)])  # of each batch
    generator = torch.Generator(tracked.device).manual_seed(seed)

    def add(items: range, before: Sums) -> Sums:
        tick = progress.over(_EMBEDDING, costs, items.start)
        if before:
            generator.set_state(before[GENERATOR])
        total = tuple(before[str(i)].to(tracked.device) if before else _zeros(tracked, i) for i in range(n_blocks))
        first, last = np.searchsorted(starts, (items.start, items.stop))
        for batch in islice(batches(documents, tracked.loaded.context, tracked.device), first, last):
            captured = capture(tracked, batch, generator)
            for i, block in enumerate(tracked.embedding):
                step = max(1, CACHED // (len(batch.members) * block.n_in))
                for start in range(0, block.n_out, step):
                    rows = slice(start, min(start + step, block.n_out))
                    total[i][rows] += block_gradients(tracked, captured, i, rows).square_().sum(dim=0)
            tick(len(batch.members))
        return {str(i): of.cpu() for i, of in enumerate(total)} | {GENERATOR: generator.get_state()}

    parts = named("embedding", cut(costs, starts.tolist(), most), len(documents))
    sums = add_up(parts, kept, {}, add, progress.found(_EMBEDDING, costs))
    return tuple(sums[str(i)] / len(documents) for i in range(n_blocks))


def in_order(documents: Sequence[Row]) -> list[Row]:
    """The documents as they pass."""
    return [documents[i] for batch in plan_batches(documents) for i in batch]


def _zeros(tracked: Tracked, i: int) -> Tensor:
    return tracked.zeros(tracked.embedding[i].n_out, tracked.embedding[i].n_in)

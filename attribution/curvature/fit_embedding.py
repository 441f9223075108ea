"""Diagonal Fisher of the embedding and the head: the blocks that EK-FAC libraries leave out.

    F[v, h] = E over documents of (∂L(z)/∂W[v, h])²,   labels of z sampled from the model

in the same unit as EK-FAC's Λ: a square of *summed* document gradients.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients

CACHED = 2**20  # numbers of a gradient slice that stay in the cache


def embedding_fisher(
    tracked: Tracked, documents: Sequence[Row], seed: int, tick: Callable[[int], None]
) -> tuple[Tensor, ...]:
    """F of each block of `tracked.embedding`  # [V, H] each, float32"""
    generator = torch.Generator(tracked.device).manual_seed(seed)
    total = tuple(tracked.zeros(block.n_out, block.n_in) for block in tracked.embedding)
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        captured = capture(tracked, batch, generator)
        for i, block in enumerate(tracked.embedding):
            step = max(1, CACHED // (len(batch.members) * block.n_in))
            for start in range(0, block.n_out, step):
                rows = slice(start, min(start + step, block.n_out))
                total[i][rows] += block_gradients(tracked, captured, i, rows).square_().sum(dim=0)
        tick(len(batch.members))
    return tuple(of / len(documents) for of in total)

"""Documents as token rows, and the order in which training sees them: pure, and fixed by (seed, epoch)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Mask = NDArray[np.bool_]  # of a row: whether each token is learned

IGNORED = -100  # label of a position without a target


@dataclass(frozen=True)
class Batch:
    tokens: Tensor  # [B, T] right-padded
    labels: Tensor  # [B, T] the next token, IGNORED where there is none

    @property
    def n_targets(self) -> int:
        return int((self.labels != IGNORED).sum())


def batch(of: Sequence[Sequence[int]], end: int, learned: Sequence[Mask] | None = None) -> Batch:
    """Right-pad rows; labels are shifted by one, tokens of a row that are not `learned` are no targets."""
    longest = max(len(row) for row in of)
    tokens = torch.full((len(of), longest), end)
    labels = torch.full((len(of), longest), IGNORED)
    for i, row in enumerate(of):
        ids = torch.tensor(row)
        tokens[i, : len(row)] = ids
        labels[i, : len(row) - 1] = ids[1:]
        if learned is not None:
            labels[i, : len(row) - 1][~torch.from_numpy(learned[i][1:])] = IGNORED
    return Batch(tokens, labels)


def epoch_order(lengths: Sequence[int], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Indices of each batch of one epoch: shuffled, rows of similar length together, batches shuffled again."""
    generator = random.Random(f"{seed}/{epoch}")  # noqa: S311 - an order, not a secret
    order = list(range(len(lengths)))
    generator.shuffle(order)
    pool = 50 * size  # long enough to sort out padding, short enough to mix
    batches = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [near[i : i + size] for i in range(0, len(near), size)]
    generator.shuffle(batches)
    return batches

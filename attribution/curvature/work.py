"""The work of a fit in multiply-adds, from shapes alone, and where it is cut into parts.

No clock measures it: a fit is cut alike on every machine of a kind.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, shapes_of

SPEED = {"cpu": 4e10, "cuda": 1e13}  # multiply-adds in a second, assumed
SECONDS = 240.0  # of a part, at that speed
DISK = 3e8  # bytes in a second, assumed, of sums that are written, hashed and read again
SHARE = 0.1  # of a part's time that its sums may take on the disk
TOUCHED = 100  # multiply-adds in whose time an entry of a document's gradient is squared and added
EIGH = 10  # multiply-adds for each of n³ of an eigendecomposition in float64

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Work:
    """Multiply-adds of each item of the four passes of a fit."""

    covariances: Numbers  # of each row
    eigenvectors: Numbers  # of each linear layer
    eigenvalues: Numbers  # of each row
    embedding: Numbers  # of each document

    @property
    def total(self) -> float:
        return float(sum(of.sum() for of in (self.covariances, self.eigenvectors, self.eigenvalues, self.embedding)))


def fit_work(
    tracked: Tracked, lengths: Numbers, fewer: Numbers, documents: Numbers, n_passes: Sequence[int] = (1, 1)
) -> Work:
    """From the tokens of every row of the covariances, of the eigenvalues, and of every document of the embedding.

    n_passes: over the rows of the covariances, and over those of the eigenvalues, each for some of the layers
    """
    n_params, layers = tracked.loaded.n_params, tracked.linear
    squares = sum(of.n_in**2 + of.n_out**2 for of in layers)
    turned = sum((not of.reads_on) * of.n_in**2 + of.n_out**2 for of in layers)
    entries = tracked.n_linear
    rows = sum(of.n_out for of in tracked.embedding)  # of a token, whose logits are read once more
    passed = 3.0 * n_params  # forward, and backward for inputs and weights
    return Work(
        covariances=lengths * (n_passes[0] * passed + squares),
        eigenvectors=np.array([EIGH * (float(of.n_in) ** 3 + float(of.n_out) ** 3) for of in layers]),
        eigenvalues=fewer * (n_passes[1] * passed + turned + entries) + float(TOUCHED * entries),
        embedding=documents * (passed + TOUCHED * rows) if tracked.embedding else np.zeros(0),
    )


def pass_work(tracked: Tracked, lengths: Numbers) -> Numbers:
    """Of documents of the corpus pass: a pass, its tokens turned into the eigenbasis, and gradients there."""
    turned = sum(of.n_in**2 + of.n_out**2 for of in tracked.linear)
    gradients = sum(of.n_in * of.n_out for of in tracked.layers)
    return lengths * float(3 * tracked.loaded.n_params + turned + gradients)


def lengths(documents: Sequence[Row]) -> Numbers:
    """Tokens of each document, as if all its windows had as many as the longest."""
    made: Numbers = shapes_of(documents)[:, 1:].prod(axis=1).astype(np.float64)
    return made


def of_part(device: str, state: int) -> float:
    """Multiply-adds of a part that leaves `state` bytes of sums behind."""
    speed = SPEED.get(device, SPEED["cuda"])
    return speed * max(SECONDS, state / DISK / SHARE)


def state_bytes(tracked: Tracked) -> int:
    """Of the largest sums that a part leaves: the covariances of all layers."""
    return 4 * sum(of.n_in**2 + of.n_out**2 for of in tracked.linear)


def cut(costs: Numbers, borders: Sequence[int], most: float) -> list[range]:
    """Stretches of items of nearly equal cost, about `most` each; one begins at 0, the others at some of `borders`."""
    n = max(1, math.ceil(float(costs.sum()) / most))
    before = np.concatenate([[0.0], np.cumsum(costs)])  # of each item
    allowed = np.array([each for each in sorted(set(borders)) if 0 < each < len(costs)], dtype=np.int64)
    wanted = before[-1] * np.arange(1, n) / n
    places = np.searchsorted(before[allowed], wanted)
    starts = [0, *sorted({int(allowed[i]) for i in places if i < len(allowed)})]
    return [range(a, b) for a, b in zip(starts, [*starts[1:], len(costs)], strict=True)]

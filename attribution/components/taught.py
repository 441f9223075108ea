"""What training documents taught the components of a model: the influence of chosen pairs, split exactly.

P = (G + λI)⁻¹ ∇f mixes the rows and columns of a layer: what a document moved in one head counts for another through
the curvature. All components of a pair together are the score of the linear layers; the embedding is none of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.components.units import Units
from attribution.exact.meeting import Meeting, Unpadded, meeting, tokens_of
from attribution.exact.owned import add_owned
from attribution.exact.pairs import add_embedding
from attribution.exact.scores import waves
from attribution.influence import influence
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from attribution.query.directions import Directions

HELD = 0.1  # of the memory, for the components of the pairs that are split together
SHARE, MOST = 0.9, 20  # of a pair's neurons: those that hold so much of the sum of magnitudes, so many at most

Pair = tuple[int, int]  # a query and a document


@dataclass(frozen=True)
class Taught:
    """Of one document for one query, nats; all together are the score of the linear layers."""

    heads: NDArray[np.float32]  # [n_blocks · n_heads], depth-major
    kv_heads: NDArray[np.float32]  # [n_blocks · n_kv_heads]
    neurons: NDArray[np.int32]  # of those that are kept, depth · n_neurons + number, the largest magnitude first
    neuron_scores: NDArray[np.float32]
    neuron_rest: float  # all other neurons
    bias: float

    @classmethod
    def of(cls, scores: NDArray[np.float32], units: Units, most: int = MOST) -> "Taught":
        """What is kept of a pair.    scores: [n] of all components, nats   most: neurons"""
        neurons = scores[units.neurons]
        kept = strongest(neurons, most)
        rest = float(neurons.sum(dtype=np.float64) - neurons[kept].sum(dtype=np.float64))
        return cls(
            scores[units.heads].astype(np.float32),
            scores[units.kv_heads].astype(np.float32),
            kept.astype(np.int32),
            neurons[kept].astype(np.float32),
            rest,
            float(scores[units.bias]),
        )

    @property
    def total(self) -> float:
        of = (self.heads, self.kv_heads, self.neuron_scores)
        return float(sum(each.sum(dtype=np.float64) for each in of)) + self.neuron_rest + self.bias


@dataclass(frozen=True)
class Split:
    """By query and document."""

    taught: dict[Pair, Taught]
    shares: dict[Pair, NDArray[np.float32]]  # [T] nats, summed over all layers, of the pairs that were asked for


def taught(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Row],
    own: Sequence[Sequence[int]],
    n_train: int,
    units: Units,
    *,
    unknown: Sequence[Sequence[int]] | None = None,
    most: int = MOST,
    tick: Callable[[int], None] | None = None,
) -> Split:
    """Split the documents `own[q]` (indices) of each query by components, at full rank.

    unknown: those of own[q] whose position shares are wanted too, none if not given   most: neurons kept of a pair
    units: those of `tracked`, or of another model with the same layers.
    """
    wanted, also = (np.zeros((len(own), len(documents)), dtype=bool) for _ in range(2))
    for q, of in enumerate(own):
        wanted[q, list(of)] = True
    for q, of in enumerate(unknown or ()):
        also[q, list(of)] = True
    needed: NDArray[np.int64] = np.flatnonzero(wanted.any(axis=0))
    found = Split({}, {})
    for passes in waves(tracked, [documents[int(i)] for i in needed]):
        members = needed[[i for captured in passes for i in captured.batch.members]]
        tokens = tokens_of(passes)
        for queries in _together(tracked, units, wanted[:, members]):
            met = meeting(tokens, wanted[:, members] & queries[:, None])
            pairs = list(zip(met.queries.tolist(), members[met.documents].tolist(), strict=True))
            by_layer = tracked.zeros(len(tracked.linear), int(met.starts[-1]))
            scores = influence(add_owned(by_layer, tracked, directions, tokens, met, units.owned), n_train)
            kept = (Taught.of(each, units, most) for each in scores.cpu().numpy())
            found.taught.update(zip(pairs, kept, strict=True))
            shares = by_layer.sum(dim=0)
            _add_through_embedding(shares, tracked, directions, tokens, met, also[:, members])
            each_pair = np.split(influence(shares, n_train).cpu().numpy(), met.starts[1:-1])
            known = zip(pairs, each_pair, strict=True)
            found.shares.update({pair: share.astype(np.float32) for pair, share in known if also[pair]})
        if tick is not None:
            tick(len(members))
    return found


def _together(tracked: Tracked, units: Units, wanted: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Queries whose pairs are split at once, as the memory holds their components.    wanted: [Q, D]   -> bool [Q]"""
    fits = tracked.schedule.fits(units.n * tracked.zeros(0).element_size(), HELD)
    chosen, n = np.zeros(len(wanted), dtype=bool), 0
    for q, size in enumerate(wanted.sum(axis=1).tolist()):
        if n and size and n + size > fits:
            yield chosen
            chosen, n = np.zeros(len(wanted), dtype=bool), 0
        chosen[q] = size > 0
        n += size
    if n:
        yield chosen


def _add_through_embedding(
    shares: Tensor, tracked: Tracked, directions: Directions, tokens: Unpadded, of: Meeting, wanted: NDArray[np.bool_]
) -> None:
    """Add, in place, what passes through embedding and head at each token of the pairs that are wanted.

    shares: [M]   wanted: [Q, D]
    """
    mine = wanted[of.queries, of.documents]  # [P]
    if not tracked.embedding or not mine.any():
        return
    some = np.zeros_like(wanted)
    some[of.queries[mine], of.documents[mine]] = True
    out = tracked.zeros(len(tracked.embedding), int(np.diff(of.starts)[mine].sum()))
    add_embedding(out, tracked, tokens, directions, meeting(tokens, some).runs)
    shares[torch.as_tensor(np.repeat(mine, np.diff(of.starts)), device=shares.device)] += out.sum(dim=0)


def strongest(scores: NDArray[np.floating], most: int = MOST, share: float = SHARE) -> NDArray[np.int64]:
    """The fewest that hold `share` of the sum of magnitudes, `most` at the most, the largest first; equals in order.

    None of scores that are all zero.
    """
    size = np.abs(scores).astype(np.float64)
    near = np.argpartition(-size, min(most, len(size) - 1))[:most] if most < len(size) else np.arange(len(size))
    near = near[np.lexsort((near, -size[near]))]
    held = np.cumsum(size[near])
    n = int(np.searchsorted(held, share * size.sum() * (1 - 1e-12))) + 1
    return near[: min(n, most)] if size.any() else near[:0]

"""Documents' gradients compressed so that influence stays an inner product: what the gradient index stores.

Of every linear layer the leading singular triplets in the eigenbasis, scaled by the layer's metric; of the embedding
the rows of the tokens that it has or might have had. A budget of bytes is spread over all of them by energy a byte. One
byte a number, one scale a vector.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock
from attribution.index.metric import Metric
from attribution.index.rows import document_rows
from attribution.index.triplets import thin_svd
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured

RANK = 8  # triplets of a layer that are looked at
DIRECTIONS = 1024  # leading eigen-directions of a wide layer, a side
HEADER = 8  # bytes besides the numbers of a vector pair: its scale and its document


@dataclass(frozen=True)
class Compressed:
    """Vectors of one layer. Document d has `Σ_n scale_n · left_n rightᵀ_n` over the n with document_n = d, ascending.

    In an embedding block left_n is the unit vector of a vocabulary row, stored as its number.
    """

    left: Tensor  # int8 [n, out], or int32 [n] in an embedding block
    right: Tensor  # int8 [n, in]
    scale: Tensor  # float32 [n]
    document: Tensor  # int32 [n]

    @property
    def nbytes(self) -> int:
        return sum(of.numel() * of.element_size() for of in (self.left, self.right, self.scale, self.document))

    def renumbered(self, numbers: Sequence[int]) -> "Compressed":
        """Documents under other numbers: place b becomes numbers[b]."""
        new = torch.as_tensor(numbers, dtype=torch.int32, device=self.document.device)
        return replace(self, document=new[self.document.long()])


def budget(tracked: Tracked, rank: float) -> int:
    """Bytes a document that keep `rank` singular triplets of every linear layer, or as much of other things."""
    return round(rank * sum(_pair_bytes(layer) for layer in tracked.linear))


def in_order(parts: Sequence[Compressed]) -> Compressed:
    """All parts as one, documents ascending."""
    documents = torch.cat([part.document for part in parts])
    order = documents.argsort(stable=True)
    left, right, scale = (torch.cat([getattr(part, name) for part in parts]) for name in ("left", "right", "scale"))
    return Compressed(left[order], right[order], scale[order], documents[order])


@dataclass(frozen=True)
class Vectors:
    """Leading singular triplets of one layer in its metric, of B documents: what may be kept of it."""

    left: Tensor  # [B, r, out]
    right: Tensor  # [B, r, in]
    energy: Tensor  # [B, r] squares of the singular values, largest first


def vectors(metrics: Sequence[Metric], tokens: Iterable[tuple[Tensor, Tensor]]) -> Iterator[Vectors]:
    """Of one linear layer after the other.    tokens: of each, as `turned.turned` makes them

    Layers that read the same share their scaled inputs.
    """
    a = gram = torch.empty(0)
    for metric, (deltas, inputs) in zip(metrics, tokens, strict=True):
        delta = metric.scaled_deltas(deltas)
        if not metric.same_inputs:
            a = metric.scaled_inputs(inputs)
            gram = a @ a.mT  # [B, T, T]
        X, Y, energy = thin_svd(delta @ delta.mT, gram, RANK)  # [B, T, r], [B, T, r], [B, r]
        yield Vectors(X.mT @ delta, Y.mT @ a, energy)


def compress(
    tracked: Tracked,
    diagonal: Sequence[DiagonalBlock],
    linear: Sequence[Vectors],
    captured: Captured,
    budget: int,
) -> list[Compressed]:
    """A batch within `budget` bytes a document, by layer of `tracked.layers`; documents are places in the batch.

    diagonal: for each embedding block.   linear: for each linear layer.
    """
    rows = [document_rows(tracked, captured, i, block) for i, block in enumerate(diagonal)]  # [B, M], [B, M, H]
    kept = within(
        [*(of.energy for of in linear), *(of.square().sum(dim=-1) for _, of in rows)],
        [_pair_bytes(layer) for layer in tracked.linear] + [layer.n_in + HEADER + 4 for layer in tracked.embedding],
        budget,
    )
    found = [_packed(of.left[mask], of.right[mask], mask) for of, mask in zip(linear, kept, strict=False)]
    for (ids, of), mask in zip(rows, kept[len(linear) :], strict=True):
        numbers, scale = quantised(of[mask])
        found.append(Compressed(ids[mask].int(), numbers, scale, mask.nonzero()[:, 0].int()))
    return found


def within(energies: Sequence[Tensor], costs: Sequence[int], budget: int) -> list[Tensor]:
    """Which parts to keep: those of most energy a byte whose cost fits into the budget of each document.

    energies: [B, n_i] of the parts of kind i, each of `costs[i]` bytes   -> bool [B, n_i] each
    """
    sizes = [of.shape[1] for of in energies]
    energy = torch.cat(list(energies), dim=1)  # [B, n]
    cost = torch.cat([energy.new_full((n,), float(c)) for n, c in zip(sizes, costs, strict=True)])
    order = (energy / cost).argsort(dim=1, descending=True)
    fits = cost[order].cumsum(dim=1) <= budget
    kept = torch.zeros_like(energy, dtype=torch.bool).scatter_(1, order, fits) & (energy > 0)
    return list(kept.split_with_sizes(sizes, dim=1))


def quantised(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers of one byte, and what they are to be multiplied with.    [n, d] -> int8 [n, d], float32 [n]"""
    scale = vectors.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (vectors / scale[:, None]).round().to(torch.int8), scale.float()


def _pair_bytes(layer: Layer) -> int:
    return min(layer.n_out, DIRECTIONS) + min(layer.n_in, DIRECTIONS) + HEADER


def _packed(left: Tensor, right: Tensor, mask: Tensor) -> Compressed:
    (left, left_scale), (right, right_scale) = quantised(left), quantised(right)
    return Compressed(left, right, left_scale * right_scale, mask.nonzero()[:, 0].int())

"""Documents' gradients compressed so that influence stays an inner product: what the gradient index stores.

Of every linear layer the leading singular triplets in the eigenbasis, scaled by the layer's metric; of the embedding
the rows of the tokens that it has or might have had. A budget of bytes is spread over all of them by energy a byte. One
byte a number, one scale a vector.
"""

from collections.abc import Sequence
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


def compress(
    tracked: Tracked,
    metrics: Sequence[Metric],
    diagonal: Sequence[DiagonalBlock],
    tokens: Sequence[tuple[Tensor, Tensor]],
    captured: Captured,
    budget: int,
) -> list[Compressed]:
    """A batch within `budget` bytes a document, by layer of `tracked.layers`; documents are places in the batch.

    metrics, tokens: for each linear layer, the latter of `turned.turned`. diagonal: for each embedding block.
    """
    scaled = _scaled(metrics, tokens)
    gram_out = torch.stack([delta @ delta.transpose(1, 2) for delta, _ in scaled])  # [L, B, T, T]
    gram_in = torch.stack(_grams(metrics, [a for _, a in scaled]))
    X, Y, energy = thin_svd(gram_out, gram_in, RANK)  # [L, B, T, r], [L, B, T, r], [L, B, r]
    rows = [document_rows(tracked, captured, i, block) for i, block in enumerate(diagonal)]  # [B, M], [B, M, H]
    kept = within(
        [*energy, *(of.square().sum(dim=-1) for _, of in rows)],
        [_pair_bytes(layer) for layer in tracked.linear] + [layer.n_in + HEADER + 4 for layer in tracked.embedding],
        budget,
    )
    found = []
    for n, (delta, a) in enumerate(scaled):
        left = X[n].transpose(1, 2) @ delta  # [B, r, out]
        right = Y[n].transpose(1, 2) @ a  # [B, r, in]
        found.append(_packed(left[kept[n]], right[kept[n]], kept[n]))
    for (ids, of), mask in zip(rows, kept[len(scaled) :], strict=True):
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


def _scaled(metrics: Sequence[Metric], tokens: Sequence[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """Layers that read the same share one tensor of inputs."""
    found: list[tuple[Tensor, Tensor]] = []
    for (deltas, inputs), metric in zip(tokens, metrics, strict=True):
        a = found[-1][1] if metric.same_inputs else metric.scaled_inputs(inputs)
        found.append((metric.scaled_deltas(deltas), a))
    return found


def _grams(metrics: Sequence[Metric], inputs: Sequence[Tensor]) -> list[Tensor]:
    """A Aᵀ of the scaled inputs of each layer  # [B, T, T]"""
    found: list[Tensor] = []
    for a, metric in zip(inputs, metrics, strict=True):
        found.append(found[-1] if metric.same_inputs else a @ a.transpose(1, 2))
    return found


def _packed(left: Tensor, right: Tensor, mask: Tensor) -> Compressed:
    (left, left_scale), (right, right_scale) = quantised(left), quantised(right)
    return Compressed(left, right, left_scale * right_scale, mask.nonzero()[:, 0].int())

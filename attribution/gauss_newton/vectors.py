"""K vectors in the space of all explained parameters, block by block: what conjugate gradients add and multiply."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock, Preconditioner
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections, Whole
from attribution.query.solve import NEGLIGIBLE, rows_that_matter
from attribution.query.vocabulary_rows import RowBlock, stack_rows, whole_rows


@dataclass(frozen=True)
class Vectors:
    """One for each of K queries."""

    blocks: tuple[Tensor, ...]  # [K, n_out, n_in] of each layer of `tracked.layers`

    @property
    def n(self) -> int:
        """K"""
        return len(self.blocks[0])

    def dot(self, other: "Vectors") -> Tensor:
        """⟨x_k, y_k⟩ over all blocks  # [K]"""
        found = self.blocks[0].new_zeros(self.n)
        for x, y in zip(self.blocks, other.blocks, strict=True):
            found += torch.linalg.vecdot(x.flatten(1), y.flatten(1))
        return found

    def add_(self, other: "Vectors", shares: Tensor) -> None:
        """x_k += s_k y_k, in place.    shares: [K]"""
        for x, y in zip(self.blocks, other.blocks, strict=True):
            x.addcmul_(shares[:, None, None], y)

    def times_(self, shares: Tensor) -> "Vectors":
        """x_k *= s_k, in place.    shares: [K]"""
        for x in self.blocks:
            x.mul_(shares[:, None, None])
        return self


def zeros(tracked: Tracked, n: int) -> Vectors:
    return Vectors(tuple(tracked.zeros(n, layer.n_out, layer.n_in) for layer in tracked.layers))


def as_vectors(tracked: Tracked, directions: Directions) -> Vectors:
    """Directions written out, new tensors; those of `no_curvature` are the gradients ∇f themselves."""
    blocks = [of.values for of in directions.linear]
    for layer, of in zip(tracked.embedding, directions.embedding, strict=True):
        whole = tracked.zeros(directions.n, layer.n_out, layer.n_in)
        blocks.append(whole.index_copy_(1, of.rows, of.values))
    return Vectors(tuple(blocks))


def as_directions(
    tracked: Tracked,
    of: Vectors,
    values: Tensor,
    energy: Tensor,
    preconditioner: Preconditioner | None = None,
    negligible: float = NEGLIGIBLE,
) -> Directions:
    """Vectors as K directions.    values, energy: [K], as in `Directions`

    preconditioner: of the documents' stage; where its embedding is diagonal, rows that no document would notice are
    left out, as `query.solve` says. None keeps every row.
    """
    linear = tuple(LayerDirections(None, (Whole(x),)) for x in of.blocks[: len(tracked.linear)])
    inverses = [None] * len(tracked.embedding) if preconditioner is None else preconditioner.embedding(tracked)
    rows = (
        _rows(x, inverse, negligible) for x, inverse in zip(of.blocks[len(tracked.linear) :], inverses, strict=True)
    )
    return Directions(linear, tuple(rows), values, energy)


def _rows(x: Tensor, inverse: object, negligible: float) -> RowBlock:
    """x: [K, V, H]"""
    if not isinstance(inverse, DiagonalBlock):
        return whole_rows(torch.arange(x.shape[1], device=x.device), x)
    made = []
    for each in x:  # one at a time: what is made of them is as large as they are
        kept = rows_that_matter((each.square() * (inverse.fisher + inverse.damping)).sum(dim=1), negligible)
        made.append(whole_rows(kept, each[kept][None]))
    return stack_rows(made)

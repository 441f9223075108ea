"""Queries after preconditioning: for each, the direction `P = (G + λI)⁻¹ ∇f` in parameter space, block by block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.query.matrices import LayerDirections, joined
from attribution.query.vocabulary_rows import RowBlock, stack_rows


@dataclass(frozen=True)
class Directions:
    """K queries. Blocks in the order of `tracked.linear` and `tracked.embedding`."""

    linear: Sequence[LayerDirections]
    embedding: tuple[RowBlock, ...]
    values: Tensor  # [K] the measurement f itself, nats
    energy: Tensor  # [K] Pᵀ (G + λI) P, with G of the documents' stage: ∇fᵀ (G + λI)⁻¹ ∇f where there is one stage

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Memory of all blocks."""
        return sum(of.nbytes for of in self.linear) + sum(of.nbytes for of in self.embedding)

    def of(self, queries: slice | Sequence[int]) -> "Directions":
        """Some of the queries, in that order."""
        chosen = list(range(self.n)[queries]) if isinstance(queries, slice) else list(queries)
        return Directions(
            tuple(block.of(chosen) for block in self.linear),
            tuple(block.of(chosen) for block in self.embedding),
            self.values[chosen],
            self.energy[chosen],
        )


def join_directions(parts: Iterable[Directions]) -> Directions:
    """The queries of all parts, in order, as one block."""
    of = list(parts)
    if len(of) == 1:
        return of[0]
    return Directions(
        tuple(joined(blocks) for blocks in zip(*(part.linear for part in of), strict=True)),
        tuple(stack_rows(blocks) for blocks in zip(*(part.embedding for part in of), strict=True)),
        torch.cat([part.values for part in of]),
        torch.cat([part.energy for part in of]),
    )

"""Queries after preconditioning: for each, the direction `P = (G + λI)⁻¹ ∇f` in parameter space, block by block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RowBlock:
    """Directions in an embedding block, for the vocabulary rows that matter to at least one query."""

    rows: Tensor  # [R] vocabulary ids, ascending
    values: Tensor  # [K, R, H]; zero where a row does not matter to a query


@dataclass(frozen=True)
class Directions:
    """K queries. Blocks in the order of `tracked.linear` and `tracked.embedding`."""

    linear: tuple[Tensor, ...]  # [K, out, in]
    embedding: tuple[RowBlock, ...]
    values: Tensor  # [K] the measurement f itself, nats
    energy: Tensor  # [K] ∇fᵀ (G + λI)⁻¹ ∇f

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Memory of all blocks; joined blocks need a little more (the union of their rows)."""
        blocks = [*self.linear, *(block.values for block in self.embedding)]
        return sum(block.numel() * block.element_size() for block in blocks)

    def of(self, queries: slice | list[int] | Tensor) -> "Directions":
        """Some of the queries."""
        return Directions(
            tuple(block[queries] for block in self.linear),
            tuple(RowBlock(block.rows, block.values[queries]) for block in self.embedding),
            self.values[queries],
            self.energy[queries],
        )


def join_directions(parts: Sequence[Directions]) -> Directions:
    """The queries of all parts, in order, as one block."""
    return parts[0] if len(parts) == 1 else collected(parts, sum(part.n for part in parts))


def collected(parts: Iterable[Directions], n: int) -> Directions:
    """The same of parts that are made one after the other, n queries in all: at most two parts are held besides the
    result, which for large models is most of the memory."""
    linear: list[Tensor] = []
    embedding: list[tuple[RowBlock, ...]] = []
    values, energy, start = [], [], 0
    for part in parts:
        linear = linear or [block.new_empty(n, *block.shape[1:]) for block in part.linear]
        for whole, block in zip(linear, part.linear, strict=True):
            whole[start : start + part.n] = block
        embedding.append(part.embedding)
        values.append(part.values)
        energy.append(part.energy)
        start += part.n
    rows = tuple(stack_rows(blocks) for blocks in zip(*embedding, strict=True))
    return Directions(tuple(linear), rows, torch.cat(values), torch.cat(energy))


def combine(parts: Sequence[Directions], weights: Sequence[float]) -> Directions:
    """One query, the weighted sum of queries that are linear in ∇f; its energy is not known and is NaN."""
    joined = join_directions(parts)
    w = torch.tensor(weights, dtype=joined.values.dtype, device=joined.values.device)
    return Directions(
        tuple(torch.tensordot(w, block, dims=1)[None] for block in joined.linear),
        tuple(RowBlock(block.rows, torch.tensordot(w, block.values, dims=1)[None]) for block in joined.embedding),
        (w @ joined.values)[None],
        joined.energy.new_full((1,), torch.nan),
    )


def stack_rows(blocks: Sequence[RowBlock]) -> RowBlock:
    """Queries of all blocks, in order; a row that only others need is zero."""
    rows = torch.cat([block.rows for block in blocks]).unique()  # sorted
    n, width = sum(len(block.values) for block in blocks), blocks[0].values.shape[2]
    values = blocks[0].values.new_zeros(n, len(rows), width)
    start = 0
    for block in blocks:
        values[start : start + len(block.values), torch.searchsorted(rows, block.rows)] = block.values
        start += len(block.values)
    return RowBlock(rows, values)

"""K directions in an embedding block, for the vocabulary rows that matter, kept as what they are made of.

    P_k[v] = E[v] ∘ (Σ_n d_n[v] h_n + Σ_{s: x_s = v} δ_ks)      E: the inverse curvature, a number for each parameter

n: the positions whose logits are measured, d_n = ∂f/∂(raw logits), h_n what the head reads there; s: the tokens that
are looked up. A query has a row of d, a hidden state and its δ; its P has as many numbers as the vocabulary times H.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, DiagonalBlock, IdentityBlock
from attribution.query.matrices import Chosen, by_part

SLICE = 2**20  # numbers that are formed at once


def inverse_rows(block: Block, rows: Tensor) -> Tensor | None:
    """E of some rows [R, H], or of all of them [1]; None of a block that is no number for each parameter."""
    if isinstance(block, DiagonalBlock):
        return 1 / (block.fisher[rows] + block.damping)
    if isinstance(block, IdentityBlock):
        return torch.ones(1, device=rows.device)
    if isinstance(block, ChainBlock):
        first, second = pulled_rows(block, rows), inverse_rows(block.second, rows)
        return None if first is None or second is None else first * second
    return None


def pulled_rows(block: Block, rows: Tensor) -> Tensor | None:
    """What ∇f is multiplied with before the documents' own stage is solved: 1, or of a chain α times the solves."""
    if isinstance(block, ChainBlock):
        first = inverse_rows(block.first, rows)
        return None if first is None else block.scale * first
    return None if inverse_rows(block, rows[:1]) is None else torch.ones(1, device=rows.device)


@dataclass(frozen=True)
class Read:
    """Gradients ∇f of K queries in an embedding block: what they are made of."""

    deltas: Tensor  # [N, R] d of the rows, at the N positions; [0, R] of a block that is no head
    hidden: Tensor  # [N, H]
    query_of: Tensor  # [N] which of the K
    at: Tensor  # [T] place of each looked-up token among the rows, −1 for none
    looked_up: Tensor  # [K, T, H] with the embedding's scale; [K, 0, H] of a block that is no embedding

    @property
    def n(self) -> int:
        return len(self.looked_up)

    @property
    def one_each(self) -> bool:
        """Whether query k has position k and no other."""
        return len(self.query_of) == self.n and bool((self.query_of.diff() == 1).all())

    def gradients(self, places: Tensor, queries: Chosen = slice(None)) -> Tensor:
        """∇f of some of the rows, ascending  # [k, r, H]"""
        chosen = torch.arange(self.n, device=self.at.device)[queries]
        if self.one_each:
            made = self.deltas[chosen][:, places, None] * self.hidden[chosen][:, None]
        else:
            made = self.looked_up.new_zeros(len(chosen), len(places), self.looked_up.shape[2])
            for i, k in enumerate(chosen.tolist() if len(self.query_of) else []):
                mine = self.query_of == k
                made[i] = self.deltas[mine][:, places].T @ self.hidden[mine]
        if len(self.at) and len(places):
            where = torch.searchsorted(places, self.at.clamp(min=0)).clamp(max=len(places) - 1)
            there = places[where] == self.at
            made.index_add_(1, where[there], self.looked_up[chosen][:, there])
        return made

    def of(self, queries: Chosen) -> "Read":
        chosen = torch.arange(self.n, device=self.at.device)[queries]
        mine = (self.query_of[None] == chosen[:, None]).nonzero()  # [N', 2] new number, position
        return replace(
            self,
            deltas=self.deltas[mine[:, 1]],
            hidden=self.hidden[mine[:, 1]],
            query_of=mine[:, 0],
            looked_up=self.looked_up[chosen],
        )


@dataclass(frozen=True)
class ReadRows:
    """Directions as what they are made of."""

    rows: Tensor  # [R] vocabulary ids, ascending
    read: Read
    kept: Tensor  # bool [K, R]: the rows that matter to a query; of all others it has zero
    block: Block

    @property
    def n(self) -> int:
        return self.read.n

    @property
    def width(self) -> int:
        return self.read.looked_up.shape[2]

    @property
    def nbytes(self) -> int:
        of = self.read
        return sum(x.numel() * x.element_size() for x in (of.deltas, of.hidden, of.looked_up, self.kept))

    def values(self, places: Tensor, queries: Chosen = slice(None)) -> Tensor:
        """Of some of the rows  # [k, r, H]"""
        E = inverse_rows(self.block, self.rows[places])
        if E is None:
            raise TypeError(type(self.block).__name__)
        return self.read.gradients(places, queries).mul_(E).mul_(self.kept[queries][:, places, None])

    def own(self, k: int) -> Tensor:
        """Places of the rows that matter to a query."""
        return self.kept[k].nonzero()[:, 0]

    def of(self, queries: Chosen) -> "ReadRows":
        return replace(self, read=self.read.of(queries), kept=self.kept[queries])


@dataclass(frozen=True)
class WholeRows:
    """Directions as they are."""

    rows: Tensor  # [R]
    whole: Tensor  # [K, R, H]; zero where a row does not matter to a query

    @property
    def n(self) -> int:
        return len(self.whole)

    @property
    def width(self) -> int:
        return self.whole.shape[2]

    @property
    def nbytes(self) -> int:
        return self.whole.numel() * self.whole.element_size()

    def values(self, places: Tensor, queries: Chosen = slice(None)) -> Tensor:
        return self.whole[queries][:, places]

    def own(self, k: int) -> Tensor:
        return torch.arange(len(self.rows), device=self.rows.device)

    def of(self, queries: Chosen) -> "WholeRows":
        return replace(self, whole=self.whole[queries])


RowPart = ReadRows | WholeRows


@dataclass(frozen=True)
class RowBlock:
    """K directions of an embedding block, those of each part after those of the part before."""

    rows: Tensor  # [R] vocabulary ids, ascending: those that matter to at least one query
    parts: tuple[RowPart, ...]

    @property
    def n(self) -> int:
        return sum(part.n for part in self.parts)

    @property
    def width(self) -> int:
        """H"""
        return self.parts[0].width

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    def between(self, start: int, stop: int) -> Tensor:
        """Directions of rows[start:stop]  # [K, stop − start, H]"""
        if len(self.parts) == 1 and len(self.parts[0].rows) == len(self.rows):
            return self.parts[0].values(torch.arange(start, stop, device=self.rows.device))
        wanted, found = self.rows[start:stop], []
        if not len(wanted):  # queries without a gradient
            return torch.cat([part.values(part.rows[:0]) for part in self.parts])
        for part in self.parts:
            lowest, highest = torch.searchsorted(part.rows, wanted[[0, -1]]).tolist()
            places = torch.arange(lowest, min(highest + 1, len(part.rows)), device=self.rows.device)
            places = places[torch.isin(part.rows[places], wanted)]
            of = part.values(places)
            whole = of.new_zeros(part.n, len(wanted), self.width)
            whole[:, torch.searchsorted(wanted, part.rows[places])] = of
            found.append(whole)
        return torch.cat(found)

    @property
    def values(self) -> Tensor:
        """All of them  # [K, R, H]; zero where a row does not matter to a query"""
        return self.between(0, len(self.rows))

    def query(self, q: int) -> tuple[Tensor, Tensor]:
        """Vocabulary ids of the rows that matter to one query, and its direction there  # [r], [r, H]"""
        for part in self.parts:
            if q < part.n:
                places = part.own(q)
                return part.rows[places], part.values(places, slice(q, q + 1))[0]
            q -= part.n
        raise IndexError(q)

    def of(self, queries: slice | Sequence[int]) -> "RowBlock":
        """Some of the queries, in that order."""
        chosen = range(self.n)[queries] if isinstance(queries, slice) else queries
        parts = [self.parts[p].of(torch.tensor(local)) for p, local in by_part([of.n for of in self.parts], chosen)]
        return RowBlock(self.rows, tuple(parts) or (self.parts[0].of(slice(0, 0)),))


def whole_rows(rows: Tensor, values: Tensor) -> RowBlock:
    """rows: [R]   values: [K, R, H]"""
    return RowBlock(rows, (WholeRows(rows, values),))


def stack_rows(blocks: Sequence[RowBlock]) -> RowBlock:
    """Queries of all blocks, in order; a row that only others need is zero."""
    if len(blocks) == 1:
        return blocks[0]
    return RowBlock(
        torch.cat([block.rows for block in blocks]).unique(),  # sorted
        tuple(part for block in blocks for part in block.parts),
    )

"""K directions of one linear layer, kept as what they are made of until their rows are asked for.

    P_k = Q_S M_k Q_Aᵀ      M_k = (Σ_t δ_kt a_tᵀ) / (Λ + λ),  δ and a in the eigenbasis (Q_S, Q_A)

A direction is as large as its layer, the tokens that it comes from are mostly fewer than the layer has inputs. In the
eigenbasis the tokens of documents meet M_k itself: turning n of them costs n (in² + out²), turning one direction back
in · out · (in + out).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock, to_eigenbasis
from attribution.curvature.factors import Eigenbasis
from attribution.model.layers import Layer

Chosen = slice | Tensor  # queries: a stretch of them, or their numbers


@dataclass(frozen=True)
class Outer:
    """Directions as the tokens that they come from."""

    deltas: Tensor  # [K, T, out]
    inputs: Tensor  # [T, in]
    block: EigenBlock | None = None  # whose Λ + λ they are divided by; None: by nothing

    @property
    def n(self) -> int:
        return len(self.deltas)

    @property
    def shape(self) -> tuple[int, int]:
        return self.deltas.shape[2], self.inputs.shape[1]

    @property
    def nbytes(self) -> int:
        return sum(of.numel() * of.element_size() for of in (self.deltas, self.inputs))

    def rows(self, start: int, stop: int, queries: Chosen = slice(None)) -> Tensor:
        """Rows start … stop of M  # [k, stop − start, in]"""
        M = self.deltas[queries][:, :, start:stop].mT @ self.inputs
        return M if self.block is None else M.div_(self.block.basis.lam[start:stop] + self.block.damping)

    def flat(self, start: int, stop: int) -> Tensor:
        """The same of all queries  # [K, (stop − start) · in]"""
        return self.rows(start, stop).flatten(1)

    def of(self, queries: Chosen) -> "Outer":
        return replace(self, deltas=self.deltas[queries])


@dataclass(frozen=True)
class Whole:
    """Directions as they are."""

    values: Tensor  # [K, out, in]

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        return self.values.shape[1], self.values.shape[2]

    @property
    def nbytes(self) -> int:
        return self.values.numel() * self.values.element_size()

    def rows(self, start: int, stop: int, queries: Chosen = slice(None)) -> Tensor:
        return self.values[queries][:, start:stop]

    def flat(self, start: int, stop: int) -> Tensor:
        """The same as a view  # [K, (stop − start) · in]"""
        n_in = self.values.shape[2]
        return self.values.flatten(1)[:, start * n_in : stop * n_in]

    def of(self, queries: Chosen) -> "Whole":
        return Whole(self.values[queries])


Part = Outer | Whole


@dataclass(frozen=True)
class LayerDirections:
    """K directions of one layer in one basis, those of each part after those of the part before."""

    basis: Eigenbasis | None  # in which M stands; None: P itself
    parts: tuple[Part, ...]

    @property
    def n(self) -> int:
        return sum(part.n for part in self.parts)

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in)"""
        return self.parts[0].shape

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    def flat(self, start: int, stop: int) -> Tensor:
        """Rows start … stop of every M  # [K, (stop − start) · in]"""
        found = [part.flat(start, stop) for part in self.parts]
        return found[0] if len(found) == 1 else torch.cat(found)

    def matrix(self, q: int) -> Tensor:
        """M of one query  # [out, in]"""
        for part in self.parts:
            if q < part.n:
                return part.rows(0, self.shape[0], slice(q, q + 1))[0]
            q -= part.n
        raise IndexError(q)

    def apply(self, q: int, a: Tensor) -> Tensor:
        """P a of one query.    a: [.., in] -> [.., out]"""
        if self.basis is None:
            return a @ self.matrix(q).T
        return a @ self.basis.Q_A @ self.matrix(q).T @ self.basis.Q_S.T

    def of(self, queries: slice | Sequence[int]) -> "LayerDirections":
        """Some of the queries, in that order."""
        chosen = range(self.n)[queries] if isinstance(queries, slice) else queries
        parts: list[Part] = []
        for place, local in by_part([part.n for part in self.parts], chosen):
            stretch = local == list(range(local[0], local[-1] + 1))
            parts.append(self.parts[place].of(slice(local[0], local[-1] + 1) if stretch else torch.tensor(local)))
        return replace(self, parts=tuple(parts) or (self.parts[0].of(slice(0, 0)),))

    def formed(self) -> "LayerDirections":
        """The same, M formed once and for all."""
        return replace(self, parts=(Whole(self.flat(0, self.shape[0]).view(self.n, *self.shape)),))

    def plain(self) -> "LayerDirections":
        """The same, turned back into P."""
        if self.basis is None:
            return self.formed()
        Q_A, Q_S = self.basis.Q_A, self.basis.Q_S
        made = Q_A.new_empty(self.n, *self.shape)
        for q in range(self.n):  # a product of matrices each; no second block of all of them
            torch.matmul(Q_S, self.matrix(q) @ Q_A.T, out=made[q])
        return LayerDirections(None, (Whole(made),))

    def in_basis(self, basis: Eigenbasis) -> Tensor:
        """Q_Sᵀ P Q_A of every query  # [K, out, in]"""
        if self.basis is not None and self.basis.Q_A is basis.Q_A and self.basis.Q_S is basis.Q_S:
            return self.flat(0, self.shape[0]).view(self.n, *self.shape)
        return to_eigenbasis(self.values, basis.Q_A, basis.Q_S)

    @property
    def values(self) -> Tensor:
        """P of every query  # [K, out, in]"""
        return self.plain().flat(0, self.shape[0]).view(self.n, *self.shape)


def by_part(sizes: Sequence[int], queries: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Runs of queries that lie in one part, with its number; the queries are numbered inside it."""
    part_of = [part for part, size in enumerate(sizes) for _ in range(size)]
    starts = [sum(sizes[:part]) for part in range(len(sizes))]
    for part, run in groupby(queries, key=lambda q: part_of[q]):
        yield part, [range(len(part_of))[q] - starts[part] for q in run]


def joined(layers: Sequence[LayerDirections]) -> LayerDirections:
    """The queries of all, in order; plain where they do not share a basis."""
    if any(of.basis is not layers[0].basis for of in layers):
        layers = [of.plain() for of in layers]
    return LayerDirections(layers[0].basis, tuple(part for of in layers for part in of.parts))


Tokens = Callable[[int], list[Tensor]]  # number of a layer -> [.., n] of each pass


def met(
    linear: Sequence[Layer], directions: Sequence[LayerDirections], deltas: Tokens, inputs: Tokens
) -> Iterator[tuple[int, list[Tensor], list[Tensor]]]:
    """Of each layer its number, and the tokens' δ and a in the basis of its directions; one layer at a time is held.

    Layers that read the same, in the same basis, share one product.
    """
    a: list[Tensor] = []
    before: Eigenbasis | None = None
    for n, (layer, of) in enumerate(zip(linear, directions, strict=True)):
        basis = of.basis
        if not (layer.reads_on and a and _same_inputs(before, basis)):
            a = inputs(n) if basis is None else [each @ basis.Q_A for each in inputs(n)]
        before = basis
        yield n, deltas(n) if basis is None else [each @ basis.Q_S for each in deltas(n)], a


def _same_inputs(one: Eigenbasis | None, other: Eigenbasis | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.Q_A is other.Q_A or torch.equal(one.Q_A, other.Q_A)

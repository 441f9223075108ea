"""EDGE: directions in a file, a layer of which is in memory while documents meet it.

Documents pass once for all directions that are held together: more of them than fit into the memory cost a reading of
the file for each wave of documents, where each part of them would cost a pass over all documents.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast, overload

import numpy as np
import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock
from attribution.curvature.factors import Eigenbasis
from attribution.query.directions import Directions, join_directions
from attribution.query.matrices import LayerDirections, Outer, Part, Whole, joined

MOST = 16 << 30  # bytes of a shelf: reading them takes a disk as long as a wave of documents takes to pass
OF_DISK = 0.25  # of what is free on the disk: the build itself needs some
ALIGNED = 64


def room(folder: Path) -> int:
    """Bytes that a shelf in a folder may have; 0 where nothing can be written."""
    return min(MOST, int(OF_DISK * shutil.disk_usage(folder).free)) if os.access(folder, os.W_OK) else 0


class _File:
    """Without a name, and closed when nobody uses it any more."""

    def __init__(self, folder: Path) -> None:
        self.of = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
        weakref.finalize(self, self.of.close)


@dataclass(frozen=True)
class _Written:
    """A tensor in the file."""

    offset: int
    shape: tuple[int, ...]
    dtype: str  # as numpy names it
    device: torch.device

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize

    def read(self, file: _File) -> Tensor:
        """Mapped pages, which leave the memory with the tensor; of another device, a copy on it."""
        if not self.nbytes:
            return torch.empty(self.shape, device=self.device)
        mapped = np.memmap(file.of, self.dtype, "c", self.offset, self.shape)  # "c": torch takes none that is read-only
        return torch.from_numpy(mapped).to(self.device)


@dataclass(frozen=True)
class _OuterWritten:
    deltas: _Written
    inputs: _Written
    block: EigenBlock | None


_PartWritten = _OuterWritten | _Written  # of directions as they are, their values
_LayerWritten = tuple[Eigenbasis | None, tuple[_PartWritten, ...]]


class Shelf:
    """Queries whose linear layers lie in a file that goes with them, however they go.

    Raises OSError where the folder cannot be written to, or is full.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _File(folder)
        self._rest: list[Directions] = []  # everything but the linear layers, of what was added
        self._layers: list[list[_LayerWritten]] = []  # by layer, of what was added

    def add(self, directions: Directions) -> None:
        """Write the linear layers of some queries."""
        self._layers = self._layers or [[] for _ in directions.linear]
        for written, of in zip(self._layers, directions.linear, strict=True):
            written.append((of.basis, tuple(self._put_part(part) for part in of.parts)))
        self._file.of.flush()
        self._rest.append(Directions((), directions.embedding, directions.values, directions.energy))

    def directions(self) -> Directions:
        """All that was added, in order."""
        of = join_directions(self._rest)
        return Directions(_Layers(self._file, self._layers), of.embedding, of.values, of.energy)

    def _put_part(self, part: Part) -> _PartWritten:
        if isinstance(part, Whole):
            return self._put(part.values)
        return _OuterWritten(self._put(part.deltas), self._put(part.inputs), part.block)

    def _put(self, of: Tensor) -> _Written:
        values = of.detach().cpu().contiguous().numpy()
        file = self._file.of
        start = file.seek(0, os.SEEK_END)
        file.write(b"\0" * (-start % ALIGNED))
        offset = file.tell()
        file.write(values.data)
        return _Written(offset, tuple(of.shape), values.dtype.str, of.device)


class _Layers(Sequence[LayerDirections]):
    """Linear layers of a shelf, each read when it is asked for."""

    def __init__(self, file: _File, written: Sequence[Sequence[_LayerWritten]]) -> None:
        self._file, self._written = file, written

    def __len__(self) -> int:
        return len(self._written)

    @overload
    def __getitem__(self, n: int) -> LayerDirections: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[LayerDirections]: ...
    def __getitem__(self, n: int | slice) -> LayerDirections | Sequence[LayerDirections]:
        if isinstance(n, slice):
            return _Layers(self._file, self._written[n])
        return joined([LayerDirections(basis, tuple(map(self._part, parts))) for basis, parts in self._written[n]])

    def _part(self, of: _PartWritten) -> Part:
        if isinstance(of, _Written):
            return Whole(of.read(self._file))
        return Outer(of.deltas.read(self._file), of.inputs.read(self._file), of.block)

"""EDGE: a table on disk, written some rows at a time and mapped into memory: a row is read when it is asked for.

It is an Arrow file without compression. One that belongs to no build has no name: it goes with the process that wrote
it, however that ends.
"""

import mmap
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.journal.files import disk_room

ROWS = 4096  # of a batch, at most
SIZE = 1 << 18  # characters and numbers of a batch, about: more of them are never held


class Writer:
    """Rows of a file; a batch of them is in memory."""

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pa.ipc.new_file(sink, schema)
        self._rows: list[Sequence[Any]] = []
        self._size = 0

    def add(self, row: Sequence[Any]) -> None:
        """A value for each column, in the order of the schema."""
        self._rows.append(row)
        self._size += sum(len(value) for value in row if hasattr(value, "__len__"))
        if len(self._rows) >= ROWS or self._size >= SIZE:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            columns = zip(self._schema, zip(*self._rows, strict=True), strict=True)
            arrays = [pa.array(values, type=field.type) for field, values in columns]
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._rows, self._size = [], 0


class Unnamed:
    """A table that is being written, and then read, in a file without a name."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        self._file, self._writer = file, Writer(file, schema)
        self.add = self._writer.add

    def table(self) -> pa.Table:
        """What was added. It outlives the file's handle, and nothing can be added any more."""
        self._writer.close()
        self._file.flush()
        whole = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(whole))).read_all()


@contextmanager
def unnamed(schema: pa.Schema, near: Path | None = None) -> Iterator[Unnamed]:
    """On the disk of the folder `near`, where that can be written on: a temporary folder may lie in memory.

    Raises TryAgain when that disk is full.
    """
    folder = next((each for each in (near, *near.parents) if each.is_dir()), None) if near else None
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
    except OSError:
        folder, file = None, tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    with file, disk_room(folder or Path(tempfile.gettempdir())):
        yield Unnamed(file, schema)


def write(path: Path, schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> None:
    """A file of all rows, which are taken one after the other."""
    with pa.OSFile(str(path), "wb") as sink:
        writer = Writer(sink, schema)
        for row in rows:
            writer.add(row)
        writer.close()


def opened(paths: Sequence[Path]) -> pa.Table:
    """The rows of some files of one schema, mapped, one file after the other."""
    tables = []
    for path in paths:
        with pa.memory_map(str(path)) as mapped:
            tables.append(pa.ipc.open_file(mapped).read_all())
    return pa.concat_tables(tables)


def numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column of numbers; a view of the file where that holds one batch  # [D]"""
    chunks = [chunk.to_numpy() for chunk in column.chunks]
    if not chunks:
        return np.zeros(0, dtype=column.type.to_pandas_dtype())
    made: NDArray[Any] = chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
    return made

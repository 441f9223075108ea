"""EDGE: writes rows of one table as a Parquet file, in the order in which they will be read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexer.database.arrow import arrow_schema
from indexer.database.schema import ORDER

Columns = Mapping[str, Sequence[Any] | np.ndarray[Any, Any] | pa.Array]
_ROW_GROUP = 122_880  # DuckDB's own: one row group is one unit of its parallel scan
_BY_TEXT = {"document": 4096}  # whoever reads one text reads a whole group
_CODEC = {"document": "lz4"}  # all are read for a word: an eighth faster than zstd, half as large again
_HELD = 1 << 23  # bytes of rows that wait for a whole group, about: long documents make smaller ones


def write_shard(folder: Path, table: str, columns: Columns | pa.Table, name: str = "") -> Path:
    """Write `folder/<table>[.name].parquet`; call it inside a stage's `compute` with `part.folder`.

    Columns have one length each; a FLOAT[] column takes a list of sequences or a matrix. Columns of the schema that
    are left out become NULL. Raises ValueError for a column that the schema does not know or of unequal length,
    pyarrow.ArrowException for values that do not fit its type.
    """
    whole = _whole(table, columns)
    by = [(column, "ascending") for column in ORDER.get(table, ())]
    if by:
        whole = whole.take(pc.sort_indices(whole.select(ORDER[table]), sort_keys=by))
    path = folder / (f"{table}.{name}.parquet" if name else f"{table}.parquet")
    pq.write_table(whole, path, compression=_CODEC.get(table, "zstd"), row_group_size=_ROW_GROUP)
    return path


def write_in_order(folder: Path, table: str, pieces: Iterable[Columns]) -> Path:
    """The same, a piece at a time, of pieces that follow each other in the table's order: no more than a row group and
    a piece are held."""
    path = folder / f"{table}.parquet"
    held, most = arrow_schema(table).empty_table(), _BY_TEXT.get(table, _ROW_GROUP)
    with pq.ParquetWriter(path, held.schema, compression=_CODEC.get(table, "zstd")) as writer:
        for columns in pieces:
            held = pa.concat_tables([held, _whole(table, columns)])
            while len(held) >= most or held.nbytes >= _HELD:
                writer.write_table(held.slice(0, most), row_group_size=most)
                held = held.slice(most).combine_chunks()
        if len(held):
            writer.write_table(held, row_group_size=most)
    return path


def _whole(table: str, columns: Columns | pa.Table) -> pa.Table:
    schema = arrow_schema(table)
    unknown = [column for column in _names(columns) if column not in schema.names]
    if unknown:
        raise ValueError(f"expected columns {schema.names} for {table}, found {unknown}")
    n_rows = {len(columns[column]) for column in _names(columns)}
    if len(n_rows) > 1:
        raise ValueError(f"expected columns of one length for {table}, found lengths {sorted(n_rows)}")
    rows = next(iter(n_rows), 0)
    arrays = [
        _array(columns[field.name], field.type) if field.name in _names(columns) else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def table_of(path: Path) -> str:
    """The table that a shard belongs to, from its name."""
    return re.split(r"\.", path.name, maxsplit=1)[0]


def _names(columns: Columns | pa.Table) -> list[str]:
    return columns.column_names if isinstance(columns, pa.Table) else list(columns)


def _array(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    if pa.types.is_list(kind):
        return _lists(values, kind)
    return pa.array(values, type=kind, from_pandas=False)


def _lists(values: Sequence[Any] | np.ndarray[Any, Any], kind: pa.ListType) -> pa.ListArray:
    """One flat buffer and offsets: no Python object per number."""
    if any(each is None for each in values):
        return pa.array(values, type=kind)
    lengths = [len(each) for each in values]
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)
    if pa.types.is_string(kind.value_type):
        flat = pa.array([item for each in values for item in each], type=kind.value_type)
    else:
        numbers = [np.asarray(each) for each in values]
        flat = pa.array(np.concatenate(numbers) if numbers else np.zeros(0), from_pandas=False).cast(kind.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=kind)

"""The schema's columns as Arrow types: what a shard holds and what DuckDB reads back are one."""

import re

import pyarrow as pa

from indexer.database.schema import TABLES

_TYPES = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "TIMESTAMP": pa.timestamp("us"),
}


def arrow_schema(table: str) -> pa.Schema:
    """Columns of a table in the schema's order; every one may be null."""
    columns = [column.split() for column in re.split(r",\s*", TABLES[table].strip())]
    return pa.schema([pa.field(name, _arrow_type(kind)) for name, kind in columns])


def columns_of(*tables: str) -> dict[str, str]:
    """What shards of these tables look like, for the keys of stages: a new column is a reason to write them anew."""
    return {table: str(arrow_schema(table)) for table in tables}


def _arrow_type(kind: str) -> pa.DataType:
    return pa.list_(_TYPES[kind[:-2]]) if kind.endswith("[]") else _TYPES[kind]

"""The SQL that makes a database: tables and views, rows out of shards, and a hash over all of it. Values are bound.

Table and column names come from the schema only, never from outside.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

from duckdb import DuckDBPyConnection

from indexer.database.schema import ORDER, SCHEMA_VERSION, TABLES, VIEWS
from indexer.database.summaries import LATER_SUMMARIES, OF_FEW, SUMMARIES
from indexer.database.tables.keys import KEYS, REPEATED, VOLATILE


def create_tables(db: DuckDBPyConnection, but: Collection[str] = ()) -> None:
    for table, columns in TABLES.items():
        if table not in but:
            db.execute(f"CREATE TABLE {table} ({columns})")


def create_summaries(db: DuckDBPyConnection, beside: Collection[str] = ()) -> None:
    """beside: tables that are not in the file"""
    for table, query in (SUMMARIES | (OF_FEW if beside else {})).items():
        db.execute(f"CREATE TABLE {table} AS {query}")


def create_views(db: DuckDBPyConnection) -> None:
    for view, query in VIEWS.items():
        db.execute(f"CREATE VIEW {view} AS {query}")


def fill_table(db: DuckDBPyConnection, table: str, shards: list[str]) -> None:
    """All rows of the shards, in the order in which they will be read; of repeated rows the last shard's."""
    once = ""
    if table in REPEATED and len(shards) > 1:
        key = ", ".join(KEYS[table])
        once = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY list_position($shards, filename) DESC) = 1"
    order = f"ORDER BY {', '.join(ORDER[table])}" if table in ORDER else ""
    db.execute(
        f"INSERT INTO {table} BY NAME SELECT * EXCLUDE (filename) "  # noqa: S608
        f"FROM read_parquet($shards, filename = true, union_by_name = true) {once} {order}",
        {"shards": shards},
    )


def write_meta(db: DuckDBPyConnection, whence_version: str, created_at: datetime, config: str) -> None:
    db.execute("INSERT INTO meta VALUES (?, ?, ?, ?)", [SCHEMA_VERSION, whence_version, created_at, config])


def schema_version(db: DuckDBPyConnection) -> int | None:
    """The version that the file says it has; None when there is no such row."""
    row = db.execute("SELECT schema_version FROM meta").fetchone()
    return None if row is None else int(row[0])


def missing_summaries(db: DuckDBPyConnection) -> list[str]:
    """Worked-out tables that the file lacks: an earlier Whence published it."""
    found = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    return [table for table in SUMMARIES if table not in found | LATER_SUMMARIES]


def held_tables(db: DuckDBPyConnection) -> set[str]:
    """Tables of the file, and views: of a large corpus the documents are one."""
    return {name for (name,) in db.execute("SELECT table_name FROM information_schema.tables").fetchall()}


def content_hash(db: DuckDBPyConnection) -> str:
    """16 hex digits over every row of every table, whatever their order; dates, durations and devices are left out."""
    total = hashlib.sha256()
    held = held_tables(db)
    for table in (table for table in TABLES if table in held):
        left_out = VOLATILE.get(table, ())
        exclude = f"EXCLUDE ({', '.join(left_out)})" if left_out else ""
        query = f"SELECT count(*), sum(hash(one)::HUGEINT) FROM (SELECT * {exclude} FROM {table}) AS one"  # noqa: S608
        row = db.execute(query).fetchone()
        total.update(f"{table} {row}\n".encode())
    return total.hexdigest()[:16]

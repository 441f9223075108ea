"""EDGE: documents of a large corpus, and their tokens, in Parquet files beside the snapshots, which read them by views
in place of the tables: a further prompt is published without writing a million texts anew.

Such a file is the shard that the build has made: linked, not copied, where the disk can do that. Its name is its hash,
so several snapshots may share it and none finds another's.

A view looks in the folder that `file_search_path` names, with "/" at its end, and where that is empty in the folder
that the client runs in: an output folder may be moved.
"""

import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from attribution.errors import Damaged
from indexer.database.arrow import arrow_schema
from indexer.journal.files import file_hash, sync

LARGE = 100_000  # documents, from which on they lie beside
TABLES_BESIDE = {"document": "texts", "document_token": "tokens"}  # how their files are called
_NAME = re.compile(r"(?:texts|tokens)-([0-9a-f]{16})\.parquet")
_PATTERN = re.compile(r"[*?\[\]{}]")  # what DuckDB would take a path with for a pattern of several


@dataclass(frozen=True)
class Beside:
    """A table that lies beside: the name of its file, and the shard that this is."""

    name: str
    shard: Path


def beside(folder: Path, shards: Mapping[str, Sequence[tuple[Path, str]]]) -> dict[str, Beside]:
    """The tables that are to lie beside a snapshot; none of a small corpus, and none in a folder whose name DuckDB
    cannot take as it is. A table of several different shards belongs into the snapshot.

    shards: path and sha256 of those of every table
    """
    found = {}
    if not _PATTERN.search(str(folder.resolve())):
        for table, prefix in TABLES_BESIDE.items():
            by_hash = {sha256: path for path, sha256 in shards.get(table, ())}  # sizes that read alike make the same
            if len(by_hash) == 1:
                [(sha256, path)] = by_hash.items()
                found[table] = Beside(f"{prefix}-{sha256[:16]}.parquet", path)
    return found if "document" in found and _n_rows(found["document"].shard) >= LARGE else {}


def _n_rows(shard: Path) -> int:
    try:
        return int(pq.read_metadata(shard).num_rows)
    except (OSError, pa.ArrowException):  # whoever reads it says what is wrong
        return 0


def place(folder: Path, of: Beside) -> bool:
    """Put a table beside the snapshots, on the disk whole before anything can name it; False where it was there."""
    path = folder / of.name
    if is_whole_beside(path):
        return False
    unfinished = folder / f"beside-{secrets.token_hex(8)}.partial"
    try:
        try:
            os.link(of.shard, unfinished)
        except OSError:
            shutil.copyfile(of.shard, unfinished)
        sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(folder)
    return True


def is_whole_beside(path: Path) -> bool:
    """Whether the file's bytes are those that its name was made from."""
    match = _NAME.fullmatch(path.name)
    return match is not None and path.is_file() and file_hash(path).startswith(match[1])


def search_path(folder: Path) -> dict[str, str]:
    """The setting with which a connection finds what lies beside a snapshot of this folder."""
    return {"file_search_path": f"{folder.resolve()}/"}


def create_view(db: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    """The view in place of a table, of a connection with the folder's `search_path`."""
    columns = ", ".join(arrow_schema(table).names)
    db.execute(
        f"CREATE VIEW {table} AS SELECT {columns} "  # noqa: S608 - names of ours
        f"FROM read_parquet(current_setting('file_search_path') || '{name}')"
    )


def read_beside(db: duckdb.DuckDBPyConnection) -> list[str]:
    """The files that this database reads beside itself."""
    views = db.execute("SELECT view_name, sql FROM duckdb_views() ORDER BY view_name").fetchall()
    named = (_NAME.search(str(sql)) for view, sql in views if view in TABLES_BESIDE)
    return [found[0] for found in named if found]


def allow(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Let a connection read what its database reads beside itself; before files are closed to it.

    Raises Damaged where that is not there.
    """
    paths = [folder.resolve() / name for name in read_beside(db)]
    for path in paths:
        if not path.is_file():
            raise Damaged(f"expected {path}, found no file; run `whence build CONFIG`")
    if paths:
        db.execute("SET allowed_paths = ?", [[str(path) for path in paths]])


def files_beside(folder: Path) -> list[Path]:
    """All such files."""
    return sorted(path for path in folder.glob("*.parquet") if _NAME.fullmatch(path.name))


def named_by(snapshots: Sequence[Path]) -> set[str]:
    """Those that any of these snapshots reads; of one that cannot be opened nothing is known."""
    found: set[str] = set()
    for path in snapshots:
        try:
            found.update(named_in(path))
        except duckdb.Error:
            continue
    return found


def named_in(snapshot: Path) -> list[str]:
    """Those that one snapshot reads. Raises duckdb.Error for a file that cannot be opened."""
    with duckdb.connect(str(snapshot), read_only=True) as db:
        return read_beside(db)

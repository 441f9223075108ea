"""EDGE: the documents of a large corpus in a Parquet file beside the snapshots, which read it by a view `document` in
place of the table: a further prompt is published without writing a million texts anew.

The file is the shard that the build has made of the documents: linked, not copied, where the disk can do that. Its name
is its hash, so several snapshots may share it and none finds another's.

The view looks in the folder that `file_search_path` names, with "/" at its end, and where that is empty in the folder
that the client runs in: an output folder may be moved.
"""

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from attribution.errors import Damaged
from indexer.database.arrow import arrow_schema
from indexer.journal.files import file_hash, sync

LARGE = 100_000  # documents, from which on they lie beside
TABLE = "document"
_NAME = re.compile(r"texts-([0-9a-f]{16})\.parquet")
_PATTERN = re.compile(r"[*?\[\]{}]")  # what DuckDB would take a path with for a pattern of several


def beside_name(folder: Path, shards: Sequence[tuple[Path, str]]) -> str:
    """The file that documents of these shards (path, sha256) are to lie in beside a snapshot; "" where they belong into
    it: of a small corpus, of several shards, and in a folder whose name DuckDB cannot take as it is."""
    if len(shards) != 1 or _PATTERN.search(str(folder.resolve())):
        return ""
    path, sha256 = shards[0]
    try:
        return f"texts-{sha256[:16]}.parquet" if pq.read_metadata(path).num_rows >= LARGE else ""
    except (OSError, pa.ArrowException):  # whoever reads it says what is wrong
        return ""


def place(folder: Path, name: str, shard: Path) -> None:
    """Put the documents beside the snapshots, on the disk whole before anything can name them."""
    path = folder / name
    if is_whole_beside(path):
        return
    unfinished = folder / f"texts-{secrets.token_hex(8)}.partial"
    try:
        try:
            os.link(shard, unfinished)
        except OSError:
            shutil.copyfile(shard, unfinished)
        sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(folder)


def is_whole_beside(path: Path) -> bool:
    """Whether the file's bytes are those that its name was made from."""
    match = _NAME.fullmatch(path.name)
    return match is not None and path.is_file() and file_hash(path).startswith(match[1])


def search_path(folder: Path) -> dict[str, str]:
    """The setting with which a connection finds what lies beside a snapshot of this folder."""
    return {"file_search_path": f"{folder.resolve()}/"}


def create_view(db: duckdb.DuckDBPyConnection, name: str) -> None:
    """The view `document`, of a connection with the folder's `search_path`."""
    columns = ", ".join(arrow_schema(TABLE).names)
    db.execute(
        f"CREATE VIEW {TABLE} AS SELECT {columns} "  # noqa: S608 - names of ours
        f"FROM read_parquet(current_setting('file_search_path') || '{name}')"
    )


def read_beside(db: duckdb.DuckDBPyConnection) -> str:
    """The file that this database reads its documents from; "" where they are in it."""
    found = db.execute("SELECT sql FROM duckdb_views() WHERE view_name = ?", [TABLE]).fetchone()
    named = _NAME.search(str(found[0])) if found else None
    return named[0] if named else ""


def allow(db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Let a connection read what its database reads beside itself; before files are closed to it.

    Raises Damaged where that is not there.
    """
    name = read_beside(db)
    if not name:
        return
    path = folder.resolve() / name
    if not path.is_file():
        raise Damaged(f"expected the documents in {path}, found no file; run `python -m indexer build CONFIG`")
    db.execute("SET allowed_paths = ?", [[str(path)]])


def files_beside(folder: Path) -> list[Path]:
    """All such files."""
    return sorted(path for path in folder.glob("texts-*.parquet") if _NAME.fullmatch(path.name))


def named_by(snapshots: Sequence[Path]) -> set[str]:
    """Those that any of these snapshots reads; of one that cannot be opened nothing is known."""
    found = set()
    for path in snapshots:
        try:
            with duckdb.connect(str(path), read_only=True) as db:
                found.add(read_beside(db))
        except duckdb.Error:
            continue
    return found - {""}

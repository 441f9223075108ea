"""EDGE: shards -> one immutable DuckDB file -> `CURRENT`. Readers see the old database or the new one, nothing between.

Temporary file, checkpoint, close, no write-ahead log, fsync, rename to a name never used before, fsync of the folder,
then `CURRENT` replaced at once.
"""

import hashlib
import json
import secrets
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from attribution.errors import Damaged, TryAgain
from indexer import __version__
from indexer.database.beside import TABLES_BESIDE, Beside, beside, create_view, is_whole_beside, place, search_path
from indexer.database.invariants import broken_invariants
from indexer.database.schema import SCHEMA_VERSION, TABLES, VIEWS
from indexer.database.shard import table_of
from indexer.database.snapshot_file import (
    STORAGE_VERSION,
    Current,
    has_log,
    point_at,
    read_current,
    snapshot_name,
    snapshots,
)
from indexer.database.statements import create_summaries, create_tables, create_views, fill_table, write_meta
from indexer.database.summaries import SUMMARIES
from indexer.journal.faults import fault
from indexer.journal.files import disk_room, file_hash, sync
from indexer.journal.stages import Finished


def publish(
    folder: Path, parts: Iterable[Finished], config: str = "", complete: bool = True, memory: str = "4GB"
) -> Path:
    """Publish every `.parquet` file of the parts as the next generation of the folder, which the caller has locked.

    Nothing is written when the current generation was made from the same; or, in the middle of a build (`complete` is
    False), when it holds all of these shards already: readers would see less than before. Raises Damaged when a shard
    has not the bytes that the journal lists, or when the rows break an invariant (duplicates, orphans, ranks, sums);
    TryAgain when the disk is full. Whatever is raised, the published generation stays.
    """
    parts = list(parts)
    shards = sorted(sha256 for part in parts for name, sha256 in part.files.items() if _is_shard(name))
    made_by = [SCHEMA_VERSION, STORAGE_VERSION, SUMMARIES, VIEWS]
    content = hashlib.sha256(json.dumps([*made_by, config, shards]).encode()).hexdigest()
    current = read_current(folder)
    apart = beside(folder, _hashed_shards(parts))
    if current is not None and _stands(folder / current.database, current, apart):
        held = not complete and set(shards) <= set(current.shards)
        if held or current.content == content:
            return folder / current.database
    by_table = _shards_by_table(parts)
    token = secrets.token_hex(8)
    scratch = folder / f"snapshot-{token}.duckdb.partial"
    spill = folder / f"spill-{token}.partial"
    placed: list[str] = []  # tables whose rows nobody has looked at yet
    try:
        with disk_room(folder):
            fault("publish.start")
            placed += [table for table, of in apart.items() if place(folder, of)]
            fault("publish.placed")
            _write(scratch, spill, by_table, config, memory, apart, set(apart) - set(placed))
            placed.clear()
            sync(scratch)
            fault("publish.synced")
            used = [number for number, _ in snapshots(folder)]
            generation = 1 + max([current.generation if current else 0, *used])
            path = folder / snapshot_name(generation, file_hash(scratch))
            scratch.rename(path)
            fault("publish.renamed")
            sync(folder)
            fault("publish.folder_synced")
            point_at(folder, path, generation, content, shards)
    except duckdb.Error as error:
        if "No space left" in str(error):
            raise TryAgain(f"expected room on the disk of {folder}, found it full; free some and run again") from error
        raise
    finally:
        for table in placed:
            (folder / apart[table].name).unlink(missing_ok=True)
        scratch.unlink(missing_ok=True)
        scratch.with_name(scratch.name + ".wal").unlink(missing_ok=True)
        shutil.rmtree(spill, ignore_errors=True)
    return path


def shards_of(part: Finished) -> set[str]:
    """Hashes of the files of a part that become rows; empty for one that holds other things only."""
    return {sha256 for name, sha256 in part.files.items() if _is_shard(name)}


def _write(
    scratch: Path,
    spill: Path,
    by_table: dict[str, list[str]],
    config: str,
    memory: str,
    apart: Mapping[str, Beside],
    checked: Collection[str],
) -> None:
    """apart: tables that lie beside   checked: those of them that an earlier generation was published with"""
    settings: dict[str, str | bool | int | float | list[str]] = {
        **search_path(scratch.parent),
        "storage_compatibility_version": STORAGE_VERSION,
        "memory_limit": memory,
        "temp_directory": str(spill),
    }
    with duckdb.connect(str(scratch), config=settings) as db:
        create_tables(db, but=apart)
        for table, of in apart.items():
            create_view(db, table, of.name)
        for table, shards in by_table.items():
            if table not in apart:
                fill_table(db, table, shards)
        write_meta(db, __version__, datetime.now(UTC).replace(tzinfo=None), config)
        create_summaries(db, apart)
        create_views(db)
        fault("publish.filled")
        broken = broken_invariants(db, checked)
        if broken:
            raise Damaged(f"expected rows that agree with each other, found {'; '.join(broken[:5])}; nothing published")
        db.execute("CHECKPOINT")
    fault("publish.checkpointed")
    if has_log(scratch):
        raise Damaged(f"expected no write-ahead log after the checkpoint, found {scratch.name}.wal; nothing published")


def _shards_by_table(parts: Sequence[Finished]) -> dict[str, list[str]]:
    """Absolute paths by table, in the order of the parts; every shard's bytes are compared with the journal's hash."""
    by_table: dict[str, list[str]] = {}
    for part in parts:
        for name, sha256 in sorted(part.files.items()):
            path = part.folder / name
            if not _is_shard(name):
                continue
            if not path.is_file() or file_hash(path) != sha256:
                raise Damaged(
                    f"expected {path} as the journal lists it, found {'other bytes' if path.exists() else 'no file'}; "
                    "run the same command again, it will be redone"
                )
            by_table.setdefault(table_of(path), []).append(str(path.resolve()))
    return by_table


def _hashed_shards(parts: Sequence[Finished]) -> dict[str, list[tuple[Path, str]]]:
    """The shards of the tables that may lie beside, with their hashes."""
    every = [(part.folder / name, sha256) for part in parts for name, sha256 in part.files.items() if _is_shard(name)]
    return {table: [each for each in every if table_of(each[0]) == table] for table in TABLES_BESIDE}


def _is_shard(name: str) -> bool:
    return name.endswith(".parquet") and table_of(Path(name)) in TABLES


def _stands(path: Path, current: Current, apart: Mapping[str, Beside]) -> bool:
    whole = all(is_whole_beside(path.with_name(of.name)) for of in apart.values())
    return whole and path.is_file() and not has_log(path) and file_hash(path) == current.sha256

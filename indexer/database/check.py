"""EDGE: compares everything in an output folder with what was written: hashes, schema, invariants of the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from attribution.errors import BadInput
from indexer.database.beside import files_beside, is_whole_beside, read_beside, search_path
from indexer.database.invariants import broken_invariants
from indexer.database.schema import SCHEMA_VERSION
from indexer.database.snapshot_file import STORAGE_VERSION, foreign_storage, has_log, in_use, read_current, snapshots
from indexer.database.statements import content_hash as hash_of_content
from indexer.database.statements import schema_version
from indexer.journal.files import file_hash
from indexer.journal.lines import unreadable_lines
from indexer.journal.stages import changes, finished


@dataclass(frozen=True)
class Problem:
    """`artefact` is a path in the output folder; `found` says what is wrong with it."""

    artefact: str
    found: str

    def __str__(self) -> str:
        return f"{self.artefact}: {self.found}"


def check(folder: Path) -> list[Problem]:
    """Everything that is not as it was written, [] when all is. Reads every byte; writes nothing.

    Raises BadInput when the folder holds neither a build nor a database, TryAgain when another process has the database
    open for writing.
    """
    check_folder(folder)
    return [*_of_parts(folder), *_of_snapshots(folder)]


def check_folder(folder: Path) -> None:
    """Raises BadInput for a folder without a build and without a database: what lies there is somebody else's."""
    if not (folder / "journal.jsonl").exists() and not (folder / "CURRENT").exists() and not snapshots(folder):
        raise BadInput(f"expected an output folder, found nothing of a build in {folder}; give the configuration's one")


def content_hash(path: Path) -> str:
    """16 hex digits over all rows of a snapshot; equal for equal results, whenever and wherever they were computed."""
    with _opened(path) as db:
        return hash_of_content(db)


def _of_parts(folder: Path) -> Iterator[Problem]:
    for number in unreadable_lines(folder):
        yield Problem("journal.jsonl", f"line {number} cannot be read, what it listed will be redone")
    for part in finished(folder):
        where = part.folder.relative_to(folder)
        for name, what in changes(part).items():
            yield Problem((where / name).as_posix(), f"{what} (stage {part.stage}, part {part.part})")


def _of_snapshots(folder: Path) -> Iterator[Problem]:
    current = read_current(folder)
    found = snapshots(folder)
    if current is None and found:
        what = "cannot be read or was changed" if (folder / "CURRENT").exists() else "missing"
        yield Problem("CURRENT", what)
    elif current is None and (folder / "CURRENT").exists():
        yield Problem("CURRENT", "cannot be read or was changed")
    elif current is not None and not (folder / current.database).is_file():
        yield Problem(current.database, "missing, but CURRENT names it")
    for path in files_beside(folder):
        if not is_whole_beside(path):
            yield Problem(path.name, "changed: its bytes are not those that its name was made from")
    for _, path in found:
        if has_log(path) and current is not None and path.name == current.database:
            _refuse_if_in_use(path)
        if not file_hash(path).startswith(path.stem.rpartition("-")[2]):
            yield Problem(path.name, "changed: its bytes are not those that its name was made from")
        elif has_log(path):
            yield Problem(f"{path.name}.wal", "a write-ahead log that is not ours, every open would fail")
        elif current is not None and path.name == current.database:
            yield from _of_rows(path)


def _of_rows(path: Path) -> Iterator[Problem]:
    foreign = foreign_storage(path)
    if foreign:
        yield Problem(path.name, f"{foreign}, expected {STORAGE_VERSION}")
        return
    with _opened(path) as db:
        beside = [path.with_name(name) for name in read_beside(db)]
        yield from (Problem(of.name, f"missing, but {path.name} reads it") for of in beside if not of.is_file())
        if not all(map(is_whole_beside, beside)):
            return  # they are named
        try:
            version = schema_version(db)
        except duckdb.CatalogException:
            yield Problem(path.name, "has no table meta")
            return
        if version != SCHEMA_VERSION:
            yield Problem(path.name, f"schema version {version}, expected {SCHEMA_VERSION}")
            return
        for broken in broken_invariants(db):
            yield Problem(path.name, broken)


def _opened(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        # where nothing lies beside it, as anybody opens it: connections of a process to one file share their settings
        beside = search_path(path.parent) if files_beside(path.parent) else {}
        return duckdb.connect(str(path), read_only=True, config={**beside})
    except duckdb.IOException as error:
        used = in_use(error, path)
        raise error if used is None else used from None


def _refuse_if_in_use(path: Path) -> None:
    """A log may be that of a process that writes just now; any other reason not to open it is told as such."""
    try:
        _opened(path).close()
    except duckdb.Error:
        return

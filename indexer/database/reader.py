"""EDGE: the published database, opened read-only and hardened; looks at `CURRENT` each time it is asked for."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from attribution.errors import BadInput, Damaged, TryAgain
from indexer.database.beside import allow, search_path
from indexer.database.memory import Memory
from indexer.database.schema import SCHEMA_VERSION
from indexer.database.snapshot_file import (
    STORAGE_VERSION,
    Current,
    foreign_storage,
    has_log,
    in_use,
    is_whole_snapshot,
    read_current,
    snapshots,
)
from indexer.database.statements import missing_summaries, schema_version

Values = Sequence[Any] | Mapping[str, Any]
# what DuckDB raises for bytes that are not what it wrote; for a wrong checksum, the bare duckdb.Error
_OF_DAMAGE = (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException)
_BUILD = "run `whence build CONFIG`"


@dataclass(frozen=True)
class Snapshot:
    """One generation, open. It never changes, so `name` may stand for all of it in a cache key."""

    name: str
    generation: int
    notice: str  # why this is not the generation that CURRENT names; "" if it is
    seconds: float
    connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def query(self, sql: str, values: Values = ()) -> pa.Table:
        """Rows as an Arrow table. `?` or `$name` in the SQL takes the values, which are never made part of it.

        Safe in any thread. Raises TryAgain when the time or memory limit is met, BadInput for a value that a function
        refuses (a bad regular expression), Damaged when DuckDB finds a block with a wrong checksum.
        """
        try:
            with self.connection.cursor() as cursor:
                return cursor.sql(sql, params=values or None).to_arrow_table()
        except duckdb.InterruptException:
            raise TryAgain(
                f"expected an answer within {self.seconds:g} s, found that it takes longer; ask for less, with a filter"
            ) from None
        except duckdb.OutOfMemoryException:
            raise TryAgain("expected an answer within the memory limit, found it needs more; ask for less") from None
        except (duckdb.InvalidInputException, duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            raise BadInput(f"the database refused a value: {_first_line(error)}; change it") from None
        except duckdb.Error as error:
            if not isinstance(error, _OF_DAMAGE) and type(error) is not duckdb.Error:
                raise  # a mistake in a query of ours
            raise Damaged(f"expected {self.name} whole, found: {_first_line(error)}; {_REPAIR}") from None

    def rows(self, sql: str, values: Values = ()) -> list[dict[str, Any]]:
        """The same as a list of {column: value}."""
        rows: list[dict[str, Any]] = self.query(sql, values).to_pylist()
        return rows


class Database:
    """The database in an output folder. Keep one for each folder in a process: DuckDB wants all connections alike."""

    def __init__(self, folder: Path, memory: str = "1GB", threads: int = 2, seconds: float = 10.0) -> None:
        self.folder = folder
        self._settings: dict[str, str | bool | int | float | list[str]] = {
            **search_path(folder),
            "python_enable_replacements": "false",  # a name in SQL is a table, never a variable of this process
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "memory_limit": memory,
            "threads": str(threads),
            "temp_directory": "",  # nothing is spilled: what does not fit is refused
            "max_execution_time": str(int(seconds * 1000)),  # DuckDB interrupts itself
        }
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """The newest published generation; the same object until `CURRENT` is replaced. Take one for each page run.

        When what `CURRENT` names cannot be read, the newest whole generation, with a notice. Raises BadInput when
        nothing is published or it was written for another schema or storage version, Damaged when none is whole,
        TryAgain when another process has it open for writing.
        """
        with self._mutex:
            seen = self._stamp()
            if self._snapshot is None or seen != self._seen:
                self._snapshot = self._open_current()
                self._seen = seen
            return self._snapshot

    def close(self) -> None:
        """Forget the open snapshot; a query that still runs in another thread ends first."""
        with self._mutex:
            self._snapshot = None

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            stat = (self.folder / "CURRENT").stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _open_current(self) -> Snapshot:
        named = read_current(self.folder)
        for _ in range(3):  # a newer generation may be published, and this one removed, while we look
            if named is None:
                break
            fault = _fault_of(self.folder / named.database, named)
            if fault == _LOG:
                self._refuse_if_in_use(self.folder / named.database)
            if not fault:
                return self._open(self.folder / named.database, named.generation, "")
            again = read_current(self.folder)
            if again == named:
                break
            named = again
        reason = f"{named.database}, which CURRENT names, {fault}" if named else "CURRENT is missing or unreadable"
        return self._last_whole(reason)

    def _refuse_if_in_use(self, path: Path) -> None:
        """Raises TryAgain where the log is that of a process that writes just now."""
        try:
            duckdb.connect(os.fspath(path), read_only=True, config=self._settings).close()
        except duckdb.Error as error:
            used = in_use(error, path)
            if used is not None:
                raise used from None

    def _last_whole(self, reason: str) -> Snapshot:
        found = snapshots(self.folder)
        for generation, path in found:
            if is_whole_snapshot(path) and not foreign_storage(path):
                return self._open(path, generation, f"{reason}; showing generation {generation} instead")
        if found:
            raise Damaged(f"expected a whole database in {self.folder}, found that {reason} and no other; {_REPAIR}")
        if (self.folder / "CURRENT").exists():
            raise Damaged(f"expected a database in {self.folder}, found that {reason}; {_BUILD}")
        raise BadInput(f"expected a database in {self.folder}, found none published yet; {_BUILD}")

    def _open(self, path: Path, generation: int, notice: str) -> Snapshot:
        foreign = foreign_storage(path)
        if foreign:
            raise BadInput(
                f"expected a file of DuckDB storage {STORAGE_VERSION}, found {path.name} with {foreign}; {_BUILD}"
            )
        try:
            with _OPENING:
                connection = duckdb.connect(os.fspath(path), read_only=True, config=self._settings)
                _close_off(connection, path.parent)
            found, missing = schema_version(connection), missing_summaries(connection)
        except (duckdb.CatalogException, duckdb.BinderException):
            raise BadInput(f"expected a Whence database, found {path.name} without its tables; {_BUILD}") from None
        except duckdb.ConnectionException:
            raise BadInput(
                f"expected {path.name} to be closed in this process, found it open with other settings; close that "
                "connection first"
            ) from None
        except duckdb.Error as error:
            used = in_use(error, path)
            if used is not None:
                raise used from None
            raise Damaged(f"expected {path.name} whole, found: {_first_line(error)}; {_REPAIR}") from None
        if found != SCHEMA_VERSION:
            connection.close()
            raise BadInput(
                f"expected a database of schema version {SCHEMA_VERSION}, found version {found} in {path.name}; "
                f"{_BUILD} with this version of Whence"
            )
        if missing:
            connection.close()
            raise BadInput(
                f"expected the tables of this version of Whence, found {path.name} without {', '.join(missing)}; "
                f"{_BUILD}: what is computed stays, it is published again"
            )
        return Snapshot(path.name, generation, notice, self._seconds, connection)


_OPENING = threading.Lock()  # of all readers of a process: connections to one file share their settings


def _close_off(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """No file but what the database reads beside itself, and no setting can be changed any more. All connections of a
    process to one file share this, and the first has done it."""
    locked = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    if locked is not None and locked[0]:
        return
    allow(connection, folder)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


_REPAIR = "run `whence check --repair FOLDER`, then build"
_LOG = "has a write-ahead log beside it"


def _fault_of(path: Path, current: Current) -> str:
    """What keeps the named file from being opened, "" if nothing does; its full hash is the business of `check`."""
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != current.bytes:
        return f"has {path.stat().st_size:,} bytes instead of {current.bytes:,}"
    if has_log(path):
        return _LOG
    if foreign_storage(path) == "no DuckDB file":
        return "is no DuckDB file"
    return ""


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0][:200]

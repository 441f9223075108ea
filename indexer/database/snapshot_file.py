"""EDGE: the files of a published database: `CURRENT`, the snapshots beside it, and how a DuckDB file begins."""

import re
import struct
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from attribution.errors import TryAgain
from indexer.journal.files import file_hash, replace_file, seal, unseal

STORAGE_VERSION = "v1.4.0"  # readable by every client from that version on; the default needs the newest
_STORAGE_NUMBER = 67  # how a file of that version begins
_NAME = re.compile(r"snap-(\d{6,})-([0-9a-f]{16})\.duckdb")


@dataclass(frozen=True)
class Current:
    """The content of `CURRENT`. `shards`: hashes of what the snapshot was made from; `content`: one over all of it."""

    database: str
    generation: int
    sha256: str
    bytes: int
    content: str
    shards: list[str]
    published_at: str


def read_current(folder: Path) -> Current | None:
    """What `CURRENT` says, or None when it is missing, was changed, or names something that is no snapshot."""
    try:
        current = Current(**unseal((folder / "CURRENT").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    named = isinstance(current.database, str) and _NAME.fullmatch(current.database)
    counted = isinstance(current.generation, int) and isinstance(current.bytes, int)
    return current if named and counted and isinstance(current.shards, list) else None


def point_at(folder: Path, path: Path, generation: int, content: str, shards: list[str]) -> None:
    """Replace `CURRENT` at once by one that names this snapshot, whose bytes are already on the disk."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    current = Current(path.name, generation, file_hash(path), path.stat().st_size, content, shards, now)
    replace_file(folder / "CURRENT", seal(asdict(current)) + "\n", "current")


def snapshots(folder: Path) -> list[tuple[int, Path]]:
    """(generation, path) of every snapshot file, the newest first."""
    found = [(match, path) for path in folder.glob("snap-*.duckdb") if (match := _NAME.fullmatch(path.name))]
    return sorted(((int(match[1]), path) for match, path in found), reverse=True)


def snapshot_name(generation: int, sha256: str) -> str:
    return f"snap-{generation:06d}-{sha256[:16]}.duckdb"


def is_whole_snapshot(path: Path) -> bool:
    """Whether the file's bytes are those that its name was made from, with no write-ahead log beside it."""
    match = _NAME.fullmatch(path.name)
    if match is None or not path.is_file() or has_log(path):
        return False
    return file_hash(path).startswith(match[2])


def has_log(path: Path) -> bool:
    """A `.wal` beside a snapshot is never ours, and makes every open fail."""
    return path.with_name(path.name + ".wal").exists()


def foreign_storage(path: Path) -> str:
    """Its storage version beside ours, for a message; empty when it is ours."""
    with path.open("rb") as file:
        head = file.read(20)
    if len(head) < 20 or head[8:12] != b"DUCK":
        return "no DuckDB file"
    (number,) = struct.unpack("<Q", head[12:20])
    if number == _STORAGE_NUMBER:
        return ""
    return f"storage version {number}, where {STORAGE_VERSION} is number {_STORAGE_NUMBER}"


_HELD = re.compile(r"Conflicting lock is held in (.*?) ?\(PID (\d+)\)")


def in_use(error: Exception, path: Path) -> TryAgain | None:
    """What to raise instead of DuckDB's error about a lock; None for any other error."""
    if "Conflicting lock" not in str(error) and "being used by another process" not in str(error):
        return None
    held = _HELD.search(str(error))
    by = f"process {held[2]} ({Path(held[1]).name})" if held else "another process"
    return TryAgain(
        f"expected {path.name} free to be read, found it in use by {by}, which opened it for writing; close it there "
        "(or open it read-only), then try again"
    )

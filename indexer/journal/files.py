"""EDGE: files that are whole or absent, whatever happens: hash, fsync, rename, and the word for a full disk."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from attribution.errors import TryAgain
from indexer.journal.faults import fault

_FULL = (errno.ENOSPC, errno.EDQUOT)
REPORTS = (OSError, SafetensorError)  # in which a full disk may be reported


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_hashes(folder: Path) -> dict[str, str]:
    """Relative name -> sha256 of every file below the folder, sorted by name; what is no plain file has no hash."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {name: _plain_hash(path) for name, path in zip(names, paths, strict=True)}


def folder_stamps(folder: Path) -> dict[str, str]:
    """Relative name -> size and time of the last change of every file below the folder; no file is read."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix(): _stamp(path) for path in paths}


def _stamp(path: Path) -> str:
    about = path.lstat()
    return f"{about.st_size} {about.st_mtime_ns}"


def _plain_hash(path: Path) -> str:
    return file_hash(path) if path.is_file() and not path.is_symlink() else "not a plain file"


def seal(about: dict[str, Any]) -> str:
    """One line of JSON that carries its own checksum, so that a flipped bit anywhere in it is seen."""
    return json.dumps(about | {"seal": _seal_of(about)})


def unseal(line: str | bytes) -> dict[str, Any]:
    """The content of a sealed line; raises ValueError when it is torn, flipped, or never was one."""
    try:
        about = json.loads(line)
    except RecursionError:
        raise ValueError("nested beyond reason") from None
    if not isinstance(about, dict) or about.pop("seal", None) != _seal_of(about):
        raise ValueError("its checksum does not fit")
    return about


def _seal_of(about: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """fsync everything below the folder, the folder last."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def replace_file(path: Path, text: str, name: str) -> None:
    """Write `text` beside `path`, then put it in its place at once; `name` begins the fault points passed."""
    replace_lines(path, (text,), name)


def replace_lines(path: Path, lines: Iterable[str], name: str) -> None:
    """The same of what is made while it is written; where making it raises, nothing is replaced."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            fault(f"{name}.written")
            os.fsync(file.fileno())
        fault(f"{name}.synced")
        scratch.replace(path)
        fault(f"{name}.moved")
        sync(path.parent)
        fault(f"{name}.replaced")
    finally:
        scratch.unlink(missing_ok=True)


def is_full(error: Exception) -> bool:
    """Whether an error says that the disk is full; pyarrow and safetensors keep the system's words, not its number."""
    number = error.errno if isinstance(error, OSError) else None
    return number in _FULL or os.strerror(errno.ENOSPC) in str(error)


@contextmanager
def disk_room(folder: Path) -> Iterator[None]:
    """Turns a full disk, whoever reports it, into TryAgain: what was finished before is kept."""
    try:
        yield
    except REPORTS as error:
        if is_full(error):
            raise TryAgain(_no_room(folder)) from error
        raise


def _no_room(folder: Path) -> str:
    return f"expected room on the disk of {folder}, found it full; free some, then give the same command again"

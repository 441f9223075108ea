"""EDGE: the journal of an output folder: a sealed line for each finished part; the newest line of a part counts."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.journal.faults import fault
from indexer.journal.files import seal, sync, unseal


@dataclass(frozen=True)
class Finished:
    """A part that lies whole on disk: `files` maps the names below `folder` to their sha256."""

    stage: str
    part: str | int
    key: str
    folder: Path
    files: Mapping[str, str]
    seconds: float
    stamps: Mapping[str, str] = field(default_factory=dict)  # the same names: size and time of the last change


def finished(folder: Path, name: str | None = None) -> list[Finished]:
    """What the journal lists, of one stage or of all, the newest line of each part; the files are not looked at."""
    newest: dict[tuple[str, str | int], Finished] = {}
    for line in _read(folder / "journal.jsonl"):
        if isinstance(line, Finished):
            newest.pop((line.stage, line.part), None)
            newest[line.stage, line.part] = line
    return [each for each in newest.values() if name in (None, each.stage)]


def unreadable_lines(folder: Path) -> list[int]:
    """Numbers of the journal's lines that list nothing: torn by a crash, or changed since."""
    return [line for line in _read(folder / "journal.jsonl") if isinstance(line, int)]


def enter(folder: Path, lines: Sequence[str]) -> None:
    """List parts in the journal of a folder that another folder's journal lists (`line_of`)."""
    with (folder / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(lines)


def append(folder: Path, result: Finished) -> None:
    path = folder / "journal.jsonl"
    new = not path.exists()
    with path.open("a+b") as file:
        if file.tell() and not _ends_line(file):
            file.write(b"\n")  # a line that was torn by a crash stays alone
        file.write(line_of(folder, result).encode())
        file.flush()
        fault("journal.written")
        os.fsync(file.fileno())
    if new:
        sync(folder)
    fault("journal.synced")


def _ends_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def line_of(folder: Path, part: Finished) -> str:
    """Of the journal; it lists the same part in another folder."""
    about = dataclasses.asdict(part) | {"folder": part.folder.relative_to(folder).as_posix(), "files": dict(part.files)}
    about["stamps"] = dict(part.stamps)
    return seal(about) + "\n"


def _read(path: Path) -> Iterable[Finished | int]:
    """Every line as a finished part, or the number of a line that is none; read once for each change of the file."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return ()
    return _lines(path, (about.st_ino, about.st_size, about.st_mtime_ns))


@lru_cache(maxsize=4)
def _lines(path: Path, stamp: tuple[int, int, int]) -> tuple[Finished | int, ...]:
    """stamp: what differs once somebody has written; a file that grew meanwhile is read again under its next one"""
    lines = enumerate(path.read_bytes().split(b"\n"), start=1)
    return tuple(listed_by(path.parent, line) or number for number, line in lines if line.strip())


def listed_by(folder: Path, line: str | bytes) -> Finished | None:
    """The part that a line lists; None for a line that lists nothing."""
    try:
        about = unseal(line)
        part = Finished(folder=folder / about.pop("folder"), **about)
    except (ValueError, KeyError, TypeError):  # torn by a crash, or changed: as if it were not there
        return None
    inside = part.folder.resolve().is_relative_to((folder / "parts").resolve())  # a journal may not point outside
    return part if inside else None

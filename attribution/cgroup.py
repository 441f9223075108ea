"""EDGE: what control groups leave of the memory, as containers and batch systems limit it: version 2, and version 1."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
TOLD = Path("/proc/self/cgroup")
UNLIMITED = 1 << 60  # version 1 writes a number near 2^63


@dataclass(frozen=True)
class Group:
    """Bytes that one group may use, and what it uses."""

    limit: int
    used: int  # without files, which the system may drop

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class _Version:
    """Where a version keeps what it knows."""

    folder: str
    limit: str
    used: str
    files: tuple[str, ...]  # keys of memory.stat that count pages of files


_V1 = _Version("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file"))
_V2 = _Version("", "memory.max", "memory.current", ("active_file", "inactive_file"))


def groups(root: Path = ROOT, told: Path = TOLD) -> list[Group]:
    """Every group that limits this process, its own and those around it; [] where none does."""
    found = []
    for version, place in _places(told):
        home = root / version.folder
        own = home / place.strip("/")
        here = own if own.is_dir() else home  # inside of a container the way to the group is often not there
        for folder in (here, *(each for each in here.parents if each.is_relative_to(home))):
            group = _group(folder, version)
            if group is not None:
                found.append(group)
    return found


def _places(told: Path) -> Iterator[tuple[_Version, str]]:
    """`0::/place` of version 2, `4:memory:/place` of version 1."""
    try:
        lines = told.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, place = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield _V1, place
        elif number == "0" and not controllers:
            yield _V2, place


def _group(folder: Path, version: _Version) -> Group | None:
    limit, used = _number(folder / version.limit), _number(folder / version.used)
    if limit is None or used is None or limit >= UNLIMITED:
        return None
    return Group(limit, max(0, used - _files(folder / "memory.stat", version.files)))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max"
        return None


def _files(path: Path, keys: tuple[str, ...]) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[0] in keys)

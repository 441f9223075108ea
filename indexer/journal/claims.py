"""EDGE: who computes a part, when several processes of one build work on the same stage.

A claim is a lock on one byte of the folder's file `claims`, at the place that the part's key says. The kernel frees it
when its process dies, so nothing has to be cleaned up after a crash.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from indexer.journal.file_locks import file_locks
from indexer.journal.files import disk_room

PLACES = 2**60


class Claims:
    """The claims of this process in one folder; no two instances of a folder may be open in one process at a time."""

    def __init__(self, file: BinaryIO, locks: ModuleType) -> None:
        self._file, self._locks = file, locks

    def take(self, key: str, wait: bool = False) -> bool:
        """Claim a part by its key (hex digits); False when another process has it and we do not `wait` for its end."""
        how = self._locks.LOCK_EX | (0 if wait else self._locks.LOCK_NB)
        try:
            self._locks.lockf(self._file, how, 1, int(key, 16) % PLACES)
        except BlockingIOError:
            return False
        return True

    def leave(self, key: str) -> None:
        self._locks.lockf(self._file, self._locks.LOCK_UN, 1, int(key, 16) % PLACES)


@contextmanager
def claims(folder: Path) -> Iterator[Claims]:
    """All claims are left at the end. Raises TryAgain when the disk is full, BadInput on a system without locks."""
    locks = file_locks()
    with disk_room(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "claims").open("ab")
    with file:
        yield Claims(file, locks)

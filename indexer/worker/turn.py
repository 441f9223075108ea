"""EDGE: whose turn it is, of several dashboards that serve one folder: each has a process that computes, and one of
them computes at a time.

A turn is the kernel's lock on the folder's file `asking`, free again when its process dies. Dashboards on several
machines share it where their file system shares locks.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attribution.errors import BadInput
from indexer.journal.file_locks import file_locks

FILE = "asking"
WAITING = "waiting for the question of another dashboard"
_POLL_SECONDS = 0.2
TAKEN, WAITED, LEFT = "taken", "waited for", "left"


@contextmanager
def turn(folder: Path, report: Callable[[str, float, None], None], cancelled: Callable[[], bool]) -> Iterator[str]:
    """Hold the turn: TAKEN at once or WAITED for, which is reported again and again; LEFT, without it, when nobody
    waits any more. Where nothing can be locked (a folder that may only be read) it is taken: there questions are
    computed side by side."""
    try:
        locks = file_locks()
        file = (folder / FILE).open("ab")
    except (OSError, BadInput):
        yield TAKEN
        return
    with file:
        how = TAKEN
        while True:
            with suppress(BlockingIOError):
                locks.flock(file, locks.LOCK_EX | locks.LOCK_NB)
                break
            how = WAITED
            if cancelled():
                how = LEFT
                break
            report(WAITING, 0.0, None)
            time.sleep(_POLL_SECONDS)
        yield how  # closing the file frees it

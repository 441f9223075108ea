"""EDGE: one writer per folder, and a clean end when the process is told to stop."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from attribution.errors import BadInput, Locked, TryAgain
from indexer.journal.file_locks import file_locks
from indexer.journal.files import disk_room

_POLL_SECONDS = 0.1


@contextmanager
def lock(folder: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the folder alone; it is made if need be. The kernel frees the lock when the process dies.

    Raises Locked, naming the holder, when another process has held it for `wait` seconds; BadInput for a folder that
    cannot be written in or a system without locks, TryAgain when its disk is full.
    """
    file_locks()
    try:
        with disk_room(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"expected a folder to write in at {folder}, found: {error.strerror}; choose another") from None
    with file:
        deadline = time.monotonic() + wait
        while not _taken(file.fileno()):
            if time.monotonic() >= deadline:
                raise Locked(f"expected {folder} to be free, found {_holder(folder)} working there; wait for its end")
            time.sleep(_POLL_SECONDS)
        _sign(file)
        yield  # closing the file frees the lock; the file itself stays, so that two processes never lock two files


@contextmanager
def stop_on_signal() -> Iterator[None]:
    """SIGTERM and SIGINT raise TryAgain where the work stands: the current partition is dropped, the rest is kept.

    A second signal ends the process at once. Only the main thread may enter.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        name = signal.Signals(number).name
        raise TryAgain(f"stopped by {name}; what was finished is kept, the same command goes on from there")

    signals = (signal.SIGTERM, signal.SIGINT)
    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _sign(file: TextIO) -> None:
    """Write who holds the lock, at once and in one piece; on a full disk the lock holds without."""
    try:
        file.seek(0)
        file.truncate()
        os.write(file.fileno(), json.dumps(about_me()).encode())
    except OSError:
        return


def _taken(handle: int) -> bool:
    fcntl = file_locks()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def about_me() -> dict[str, Any]:
    """This process, for others to name."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name  # `python -m indexer`
    command = " ".join([name, *sys.argv[1:]])
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": since}


def _holder(folder: Path) -> str:
    try:
        return named(json.loads((folder / "lock").read_text(encoding="utf-8")))
    except (OSError, ValueError):  # it has just taken the lock and not yet written who it is
        return named({})


def named(about: dict[str, Any]) -> str:
    """A process as it tells of itself (`about_me`)."""
    try:
        return f"process {about['pid']} on {about['host']} ({about['command']}, since {about['since']})"
    except (KeyError, TypeError):
        return "another process"

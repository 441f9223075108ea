"""EDGE: memory that is a process's own: what it shares with files on disk the system may take back.

Looked at a hundred times a second: what stands for less is missed.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.01  # seconds


@dataclass
class Watched:
    """Bytes of a process and its children together: from the beginning, and at the highest."""

    before: int
    samples: list[tuple[float, int]] = field(default_factory=list)  # seconds of the wall's clock, bytes

    @property
    def peak(self) -> int:
        return max((n for _, n in self.samples), default=self.before)

    def between(self, start: float, stop: float) -> int:
        """The highest from `start` to `stop`, in seconds since the epoch."""
        return max((n for at, n in self.samples if start <= at <= stop), default=0)


@contextmanager
def watched(pid: int | str = "self", every: float = EVERY) -> Iterator[Watched]:
    """Inside, a process and all that it started are watched."""
    done, found = threading.Event(), Watched(of_tree(pid))

    def watch() -> None:
        while not done.wait(every):
            found.samples.append((time.time(), of_tree(pid)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        found.samples.append((time.time(), of_tree(pid)))
        done.set()
        watcher.join()


def of_tree(pid: int | str) -> int:
    """RssAnon and RssShmem of a process and its children, bytes; 0 of one that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        children = " ".join(of.read_text() for of in Path(f"/proc/{pid}/task").glob("*/children")).split()
    except OSError:
        return 0
    own = sum(int(of.split()[1]) << 10 for of in status if of.startswith(("RssAnon:", "RssShmem:")))
    return own + sum(of_tree(child) for child in children)

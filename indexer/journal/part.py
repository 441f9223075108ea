"""EDGE: one partition of a stage: seeded, computed into a scratch folder, here or in a child process of its own."""

import errno
import hashlib
import os
import random
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from attribution.errors import WhenceError
from indexer.journal.files import REPORTS, is_full
from indexer.processes.child import context, settle
from indexer.processes.ended import ended, too_little_memory
from indexer.processes.throttle import Throttle

Tick = Callable[[float, str], None]  # how much was done since, and what is in work

FITTING = "fitting"  # -<size>: a folder beside the parts of a build, of a fit under way


def _silent(n: float, what: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Partition:
    """What `compute` is given: write every result below `folder`; draw random numbers from `seed` only."""

    stage: str
    value: str | int
    key: str  # of everything that the result depends on, this part's value included
    folder: Path
    tick: Tick = _silent  # tells whoever waits for the part

    @property
    def seed(self) -> int:
        """In [0, 2**32), the same whenever this part is computed anew, whatever was computed before it."""
        return int.from_bytes(hashlib.sha256(f"{self.stage} {self.key}".encode()).digest()[:4], "big")


Compute = Callable[[Partition], None]


def run_here(compute: Compute, part: Partition) -> None:
    """Seed random, numpy and, where it is loaded, torch; then compute."""
    random.seed(part.seed)
    np.random.seed(part.seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(part.seed)
    compute(part)


def run_in_child(compute: Compute, part: Partition) -> None:
    """The same in a process of its own: nothing of this process's state reaches it, and its memory goes with it.

    `compute` must be importable (a module's function, or functools.partial of one). Its WhenceError is raised here
    again, and so is a full disk; any other error becomes a RuntimeError with its traceback; a killed child is TryAgain,
    one that crashed without a word WhenceError. Not a ProcessPoolExecutor: that outlives an interruption until its work
    is done, and hides which signal ended it.
    """
    processes = context()
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=_child, args=(compute, replace(part, tick=_silent), sender), daemon=True)
    child.start()
    sender.close()
    failure: Exception | None = None
    try:
        while isinstance(event := receiver.recv(), tuple):
            part.tick(*event)
        failure = event
        child.join()
    except EOFError:
        child.join()
        raise ended(f"{part.stage} part {part.value}", child.exitcode) from None
    finally:
        receiver.close()
        child.kill()  # we were told to stop; nothing happens when it has ended
        child.join()
    if failure is not None:
        raise failure


def _child(compute: Compute, part: Partition, sender: Connection) -> None:
    settle()
    ticks = Throttle(lambda n, what: sender.send((n, what)))
    try:
        run_here(compute, replace(part, tick=ticks.tick))
        ticks.flush()
        sender.send(None)
    except WhenceError as error:
        sender.send(error)
    except REPORTS as error:
        sender.send(
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if is_full(error)
            else too_little_memory(part.stage, error) or _crash(part)
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        sender.send(too_little_memory(f"{part.stage} part {part.value}", error) or _crash(part))


def _crash(part: Partition) -> RuntimeError:
    return RuntimeError(f"{part.stage} part {part.value} failed in its process:\n{traceback.format_exc()}")

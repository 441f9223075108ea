"""EDGE: the same work on many items, in several processes of one thread each; the first failure ends all of them."""

import errno
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Generic, TypeVar

from attribution.errors import WhenceError
from indexer.processes.child import context, settle
from indexer.processes.ended import crashed, ended, too_little_memory

Item = TypeVar("Item")


def side_by_side(
    work: Callable[[Item], None], items: Sequence[Item], n_processes: int, tick: Callable[[], None]
) -> None:
    """`work(item)` for every item, `tick()` after each. `work` must be importable, with items that can be pickled.

    Results are what the work leaves on disk. Raises a child's WhenceError, WhenceError with the cause for one that
    crashed, and TryAgain for one that was killed. Not a ProcessPoolExecutor: after a failure that waits for what runs,
    maybe hours, and it hides how a worker ended.
    """
    if n_processes <= 1 or len(items) <= 1:
        for item in items:
            work(item)
            tick()
        return
    shares = [items[i::n_processes] for i in range(min(n_processes, len(items)))]
    running = {each.events: each for each in (_Worker(work, share) for share in shares)}
    try:
        while running:
            for events in wait(list(running)):
                if running[events].read(tick):  # type: ignore[index]
                    running.pop(events).end()  # type: ignore[call-overload]
    finally:
        for worker in running.values():
            worker.end()


class _Worker(Generic[Item]):
    """A process that works on its share."""

    def __init__(self, work: Callable[[Item], None], items: Sequence[Item]) -> None:
        processes = context()
        self.events, sender = processes.Pipe(duplex=False)
        self._left = len(items)
        self._process = processes.Process(target=_child, args=(work, items, sender), daemon=True)
        self._process.start()
        sender.close()

    def read(self, tick: Callable[[], None]) -> bool:
        """One event; True when it was the last."""
        try:
            error = self.events.recv()
        except EOFError:
            self._process.join()
            raise ended("a share of the work", self._process.exitcode) from None
        if error is not None:
            raise error
        tick()
        self._left -= 1
        return self._left == 0

    def end(self) -> None:
        self._process.kill() if self._left else None
        self._process.join()
        self.events.close()


def _child(work: Callable[[Item], None], items: Sequence[Item], sender: Connection) -> None:
    import torch

    settle()
    torch.set_num_threads(1)
    try:
        for item in items:
            work(item)
            sender.send(None)
    except WhenceError as error:
        sender.send(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        refused = too_little_memory("a share of the work", error)
        if refused is None:
            traceback.print_exc()
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            sender.send(OSError(error.errno, error.strerror))  # the parent knows of which folder
        else:
            sender.send(refused or crashed("a share of the work", error))

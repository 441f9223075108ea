"""EDGE: sizes side by side, one process and its share of the cores each: two processes of one thread finish sooner than
one of two threads, because the matrices of small models are too small to be shared."""

import errno
import os
import traceback
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from attribution.errors import WhenceError
from attribution.threads import threads
from indexer.config.config import Config, Model
from indexer.corpus.prompt import Prompt
from indexer.corpus.stored import at_hand
from indexer.journal.files import REPORTS, is_full
from indexer.pipeline.one_size import build_size
from indexer.pipeline.report.summary import Built
from indexer.processes.child import context, settle
from indexer.processes.ended import crashed, ended, too_little_memory
from indexer.processes.progress import Report
from indexer.processes.throttle import Throttle
from indexer.search.text_index import open_text_index
from indexer.size.member import open_member

TO_END = 10  # seconds that a process has to end by itself


@dataclass(frozen=True)
class Order:
    """One size to build, and what it needs; a fine-tuned model waits for its parent."""

    entry: Model
    config: Config
    prompts: tuple[Prompt, ...]


def build_sizes(orders: Sequence[Order], n_processes: int, report: Report) -> Iterator[Built]:
    """Build every size, at most `n_processes` at a time; yields each when it is finished. `orders`: smallest first.

    The first process takes the largest size, which takes longest, the others go on from the smallest. A process for
    which no size is left, or none whose parent is built, joins one that is under way: they share its parts. Processes
    work on while the caller is busy with what it was given, with as many threads as each of them: more would wait for
    one another where no core is free. The first failure ends all others and is raised; a killed process is TryAgain.
    """
    waiting, running, built, joined = list(orders), dict[Connection, _Worker](), set[str](), set[str]()
    n_threads = max(1, (os.cpu_count() or 1) // n_processes)
    finished: list[Built] = []
    try:
        while waiting or running or finished:
            while len(running) < n_processes and (order := next_order(waiting, built, orders, largest=not running)):
                waiting.remove(order)
                worker = _Worker(order, n_threads, report)
                running[worker.events] = worker
            under_way = [worker.order for worker in running.values()]
            parents = {order.entry.parent for order in waiting}
            if len(running) < n_processes and (order := to_join(under_way, joined, parents)):
                joined.add(order.entry.name)
                worker = _Worker(order, n_threads, report, joins=True)
                running[worker.events] = worker
            if finished:
                with threads(n_threads):
                    yield finished.pop()
                continue
            for events in wait(list(running)):
                worker = running[events]  # type: ignore[index]
                made = worker.read()
                if made is None:
                    continue
                for each in [worker] if worker.joins else _all_of(made.name, running.values()):
                    running.pop(each.events).end()
                if not worker.joins:
                    built.add(made.name)
                    finished.append(made)
                break  # others that were ready may have ended with it
    finally:
        for worker in running.values():
            worker.end()


def next_order(waiting: Sequence[Order], built: set[str], orders: Sequence[Order], largest: bool) -> Order | None:
    """The smallest size whose parent is built, or the largest that nothing waits for; None when all have to wait."""
    ordered = {order.entry.name for order in orders}
    ready = [o for o in waiting if o.entry.parent not in ordered - built]
    parents = {o.entry.parent for o in waiting}
    if not ready:
        return None
    alone = [o for o in ready if o.entry.name not in parents]  # nothing waits for it: it may take long
    return alone[-1] if largest and len(waiting) > 1 and alone else ready[0]


def to_join(under_way: Sequence[Order], joined: set[str], parents: Container[str | None] = ()) -> Order | None:
    """The size that is joined next, of those that nobody has joined: one of the parents that others wait for, or the
    last to be started."""
    alone = [order for order in under_way if order.entry.name not in joined]
    best = [order for order in alone if order.entry.name in parents] or alone
    return best[-1] if best else None


def _all_of(name: str, workers: Iterable["_Worker"]) -> list["_Worker"]:
    return [worker for worker in workers if worker.order.entry.name == name]


class _Worker:
    """A child process that builds one size and tells of its progress, unless it joins another one."""

    def __init__(self, order: Order, n_threads: int, report: Report, joins: bool = False) -> None:
        self.order, self.joins, self._told = order, joins, False
        processes = context()
        self.events, sender = processes.Pipe(duplex=False)
        self._name, self._report = order.entry.name, report
        self._tasks: dict[int, Any] = {}
        self._process: ForkServerProcess = processes.Process(target=_child, args=(order, n_threads, sender))
        self._process.start()
        sender.close()

    def read(self) -> Built | None:
        """One event; the result when it is the last. Raises the child's error, TryAgain when it was killed, WhenceError
        when it crashed."""
        try:
            what, *of = self.events.recv()
        except EOFError:
            self._process.join()
            raise ended(self._name, self._process.exitcode) from None
        if what == "error":
            raise of[0]
        if what == "built":
            self._told = True
            result: Built = of[0]
            return result
        if not self.joins:
            self._show(what, *of)
        return None

    def end(self) -> None:
        """One that has told its result ends by itself; any other is stopped."""
        if self._told:
            self._process.join(TO_END)
        self._process.kill() if self._process.exitcode is None and not self.events.closed else None
        self._process.join()
        self.events.close()

    def _show(self, what: str, *of: Any) -> None:
        if what == "say":
            self._report.say(of[0])
        elif what == "open":
            number, name, total, quiet = of
            context = self._report.task(name, total, quiet=quiet)
            self._tasks[number] = (context, context.__enter__())
        elif what == "tick":
            number, n, note = of
            self._tasks[number][1].tick(n, note)
        else:
            self._tasks.pop(of[0])[0].__exit__(None, None, None)


class _Told:
    """The Report of a child: every call travels to the parent."""

    def __init__(self, send: Callable[[tuple[Any, ...]], None]) -> None:
        self._send, self._n = send, 0

    def say(self, line: str) -> None:
        self._send(("say", line))

    @contextmanager
    def task(self, name: str, total: float, *, quiet: bool = False) -> Iterator[Throttle]:
        self._n += 1
        number = self._n
        self._send(("open", number, name, total, quiet))
        throttle = Throttle(lambda n, note: self._send(("tick", number, n, note)))
        try:
            yield throttle
        finally:
            throttle.flush()
            self._send(("close", number))


def _child(order: Order, n_threads: int, sender: Connection) -> None:
    import torch

    settle()
    torch.set_num_threads(n_threads)
    folder: Path = order.config.output.folder
    try:
        member = open_member(order.entry, order.config, partial(at_hand, folder))
        text = open_text_index(folder)
        sender.send(("built", build_size(folder, member, order.prompts, text, _Told(sender.send))))
    except WhenceError as error:
        sender.send(("error", error))
    except REPORTS as error:
        full = is_full(error)
        sender.send(("error", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if full else _cause(order, error)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        sender.send(("error", _cause(order, error)))


def _cause(order: Order, error: Exception) -> WhenceError:
    """The cause for the parent; where it was raised is told here."""
    if too_little_memory(order.entry.name, error) is None:
        traceback.print_exc()
    return crashed(order.entry.name, error)

"""EDGE: progress on the terminal: one line for the whole, one for the stage in work, each with the time left."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Ticks(Protocol):
    """A task that can be advanced."""

    def tick(self, n: float = 1, note: str = "") -> None: ...


class Reporter(Protocol):
    """What a stage tells of itself, here or in another process."""

    def say(self, line: str) -> None: ...

    def task(self, name: str, total: float, *, quiet: bool = False) -> AbstractContextManager[Ticks]: ...


class Report:
    """What a long command says while it works. On a pipe or in a log, one plain line for each finished stage."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._plain = not sys.stderr.isatty()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=self.console,
            transient=True,
            disable=self._plain,
        )

    def __enter__(self) -> "Report":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, name: str, total: float, *, quiet: bool = False) -> Iterator["Task"]:
        """One bar; `quiet` bars leave no line behind when they end."""
        started = time.monotonic()
        task = Task(self, name, total)
        try:
            yield task
        finally:
            task.close()
        if not quiet:
            self.say(f"  {name}: {time.monotonic() - started:.1f} s")


@contextmanager
def timed(report: Reporter, what: str) -> Iterator[None]:
    """One line when it is done: how long all of it took."""
    started = time.monotonic()
    yield
    report.say(f"{what}: {time.monotonic() - started:.0f} s")


class Task:
    """A bar that can be advanced: `task.tick(3)`, `task.tick(3, note="loss 1.2")`."""

    LOG_EVERY = 30.0  # seconds between lines where there is no terminal
    FOUND = 1.0  # second from the first tick on, in which what was done before a resumption is told
    KNOWN = 10.0  # seconds after it, from which on the time left is told

    def __init__(self, report: Report, name: str, total: float) -> None:
        self._report, self._name, self._total = report, name, total
        self._done, self._logged = 0.0, time.monotonic()
        self._told: float | None = None  # when the first tick came
        self._begun = (0.0, time.monotonic())  # done before and since when, for the time left
        self._bar = report._progress.add_task(name, total=total, note="")

    def tick(self, n: float = 1, note: str = "") -> None:
        self._done += n
        self._report._progress.update(self._bar, advance=n, note=note)
        now = time.monotonic()
        self._told = now if self._told is None else self._told
        if now - self._told < self.FOUND or self._done < self._begun[0]:
            self._begun = self._done, now
        if self._report._plain and now - self._logged > self.LOG_EVERY and self._done > self._begun[0]:
            self._logged = now
            before, since = self._begun
            left = (now - since) * max(0.0, (self._total - self._done) / (self._done - before))
            known = f", {left:.0f} s left" if now - since >= self.KNOWN else ""
            suffix = f", {note}" if note else ""
            self._report.say(f"  {self._name}: {self._done:.0f}/{self._total:.0f}{known}{suffix}")

    def move(self, fraction: float, note: str = "") -> None:
        """To a share of the whole."""
        self.tick(fraction * self._total - self._done, note)

    def close(self) -> None:
        self._report._progress.remove_task(self._bar)

"""EDGE: a build in miniature for the tests of survival: two models, eight documents, one prompt; about 0.2 s.

Runs in processes of a fork server, which has imported everything already, so that many can be killed quickly.
"""

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from attribution.errors import WhenceError
from indexer.database.publish import publish
from indexer.database.repair import collect, repair
from indexer.journal.faults import _passed
from indexer.journal.lock import lock, stop_on_signal
from indexer.journal.stages import key, stage
from tests.synthetic_database import Synthetic, documents, prompts

MODELS = ["synth-s", "synth-m"]


def build(folder: Path, seed: int = 0, wait: float = 0.0) -> list[str]:
    """Build and publish twice, as a real build does; returns the parts that were computed and not found."""
    made = Synthetic(documents()[:8], prompts()[:1], seed)
    fresh: list[str] = []

    def note(part, computed):
        fresh.extend([f"{part.stage}/{part.part}"] if computed else [])

    with lock(folder, wait), stop_on_signal():
        parts = stage(folder, "corpus", key(version=1), ["all"], made.corpus_part, done=note)
        for model in MODELS:  # as for real sizes: each publication holds all that are finished
            parts += stage(folder, "scores", key(seed=seed), [model], made.size_part, done=note)
            publish(folder, parts, complete=model == MODELS[-1])
    return fresh


def repair_locked(folder: Path) -> list[str]:
    """As `check --repair` does."""
    with lock(folder):
        return repair(folder)


def collect_locked(folder: Path, keep: int = 1) -> list[Path]:
    """As `gc` does."""
    with lock(folder):
        return collect(folder, keep)


class InProcess:
    """Work on a folder in a process of its own; `fault` is its WHENCE_FAULT."""

    def __init__(self, folder: Path, fault: str = "", work: Callable[..., Any] = build, **options: object) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.indexer.small_build"])
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(partial(work, folder, **options), fault, sender))
        self._process.start()
        self.pid = self._process.pid or 0
        sender.close()

    def ended(self) -> tuple[int, str]:
        """Exit code, negative when a signal ended it, and the error's message."""
        self._process.join()
        code = self._process.exitcode or 0
        said = self._receiver.recv() if self._receiver.poll() and code not in (0, -9) else ""
        self._receiver.close()
        return code, said


def run_in_process(
    folder: Path, fault: str = "", work: Callable[..., Any] = build, **options: object
) -> tuple[int, str]:
    return InProcess(folder, fault, work, **options).ended()


def _run(work: "partial[Any]", fault: str, sender: Connection) -> None:
    os.environ["WHENCE_FAULT"] = fault
    _passed.clear()
    try:
        work()
    except WhenceError as error:
        sender.send(str(error))
        os._exit(error.exit_code)

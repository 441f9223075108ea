"""EDGE: a build in miniature for the tests of survival: two models, eight documents, one prompt; about 0.2 s.

Runs in processes of a fork server, which has imported everything already, so that many can be killed quickly.
"""

import multiprocessing
import os
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from attribution.errors import WhenceError
from indexer.database.publish import publish
from indexer.fault import _passed
from indexer.journal import key, stage
from indexer.lock import lock, stop_on_signal
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


def run_in_process(folder: Path, fault: str = "", **options: object) -> tuple[int, str]:
    """Exit code of a build in a process of its own, negative when a signal ended it, and the error's message."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.indexer.small_build"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(partial(build, folder, **options), fault, sender))
    process.start()
    sender.close()
    process.join()
    said = receiver.recv() if receiver.poll() and process.exitcode not in (0, -9) else ""
    receiver.close()
    return process.exitcode or 0, said


def _run(work: "partial[list[str]]", fault: str, sender: Connection) -> None:
    os.environ["WHENCE_FAULT"] = fault
    _passed.clear()
    try:
        work()
    except WhenceError as error:
        sender.send(str(error))
        os._exit(error.exit_code)

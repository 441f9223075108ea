"""EDGE: processes of our own: where they come from, and how they end."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running

# imported before the first process is asked for
LOADED = ["attribution.curvature.fit", "indexer.pipeline.one_size", "indexer.evaluate.siblings.retrain"]


def context() -> ForkServerContext:
    """Every process starts as a copy of one that has imported what takes seconds to import, and done nothing else: it
    has none of this process's threads, locks and memory."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(LOADED)
    return made


def prepare() -> None:
    """Let the imports run beside what this process does until it needs the first child."""
    context()
    ensure_running()


def settle() -> None:
    """For the child to call first: it ends when its parent does, leaves an interrupt to it, and leaves no lock behind
    when it is killed: those that libraries make (tqdm does) have no name in the "fork" context."""
    multiprocessing.set_start_method("fork", force=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()


def is_child() -> bool:
    """Whether this process was started by `context`."""
    return multiprocessing.parent_process() is not None


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

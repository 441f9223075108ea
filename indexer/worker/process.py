"""EDGE: `python -m indexer.worker.process FUNCTION HANDLE`: the worker's own process, one job after another.

Messages are JSON in both directions. An error that is no WhenceError ends the process with its traceback: what state
it would leave behind is not known, and the client starts another one.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from attribution.errors import WhenceError
from indexer.config.installed import installed
from indexer.processes.ended import too_little_memory

Report = Callable[[str, float, dict[str, Any] | None], None]
Function = Callable[[dict[str, Any], Report, Callable[[], bool]], dict[str, Any]]


def serve(function: Function, connection: Connection) -> None:
    """Answer {"job", "request"} by some "report" and one "done" or "failed"; {"cancel": job} raises its flag."""
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    cancelled: set[str] = set()
    threading.Thread(target=_listen, args=(connection, jobs, cancelled), daemon=True).start()
    _send(connection, {"ready": True})
    while True:
        message = jobs.get()
        id = message["job"]

        def report(stage: str, fraction: float, payload: dict[str, Any] | None = None, id: str = id) -> None:
            _send(connection, {"job": id, "report": [stage, fraction, payload]})

        def is_cancelled(id: str = id) -> bool:
            return id in cancelled

        try:
            result = function(message["request"], report, is_cancelled)
            _send(connection, {"job": id, "done": result})
        except WhenceError as error:
            _send(connection, {"job": id, "failed": str(error)})
        except (MemoryError, RuntimeError, OSError) as error:
            refused = too_little_memory("the question", error)
            if refused is None:
                raise
            _send(connection, {"job": id, "failed": str(refused)})


def resolve(name: str) -> Function:
    """The function called "package.module:function"; where it needs a package that is missing, one that says so."""
    module, _, attribute = name.partition(":")
    try:
        function: Function = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing, why = error.name or "", error
        if module.startswith(missing.partition(".")[0]):  # it is ours
            raise

        def refused(*_asked: Any) -> dict[str, Any]:
            installed(missing)
            raise why  # it is installed, and broken

        return refused
    return function


def _listen(connection: Connection, jobs: "queue.SimpleQueue[dict[str, Any]]", cancelled: set[str]) -> None:
    while True:
        try:
            message = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)  # the dashboard has ended, and nobody waits for anything
        if "cancel" in message:
            cancelled.add(message["cancel"])
        else:
            cancelled.discard(message["job"])  # asked again
            jobs.put(message)


def _send(connection: Connection, message: dict[str, Any]) -> None:
    try:
        connection.send_bytes(json.dumps(message).encode())
    except OSError:
        os._exit(0)  # the dashboard has ended in the middle of a job


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the dashboard's, which then closes us
    os.nice(5)  # pages before jobs
    serve(resolve(sys.argv[1]), Connection(int(sys.argv[2])))

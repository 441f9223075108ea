"""Functions for the worker to run in its tests: what a good, a slow and a bad one do."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attribution.errors import BadInput


def run(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    """`do` says what: echo, count (until cancelled), hang, die, raise, refuse, eat."""
    what = request["do"]
    if "log" in request:
        with Path(request["log"]).open("a") as log:
            log.write(f"{request['name']}\n")
    if what == "count":
        for i in range(request["n"]):
            if cancelled():
                return {"stopped_at": i}
            report("counting", i / request["n"], {"i": i})
            time.sleep(0.02)
    elif what == "hang":
        time.sleep(600)
    elif what == "die":
        os._exit(9)
    elif what == "raise":
        raise ZeroDivisionError("a mistake in the function")
    elif what == "refuse":
        raise BadInput("expected a prompt, found none; write one")
    elif what == "eat":
        eaten = bytearray(300 << 20)
        eaten[::4096] = b"x" * len(eaten[::4096])
        time.sleep(600)
    return {"echo": request.get("value"), "pid": os.getpid()}

"""EDGE: a stand-in for the worker's function that writes down what it does in the file WHENCE_TEST_LOG."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer.ask.in_turn import in_turn as taking_turns
from tests.browser import stub_ask


def run(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    """A prompt that begins with "Slow" takes ten minutes, if nobody cancels it; saliency is no question."""
    if request.get("kind") == "saliency":
        return stub_ask.run(request, report, cancelled)
    _note(f"begin {request['prompt']}")
    deadline = time.monotonic() + (600 if request["prompt"].startswith("Slow") else 2)
    while time.monotonic() < deadline:
        report("thinking", 0.1, None)
        if cancelled():
            _note(f"cancelled {request['prompt']}")
            return {}
        time.sleep(0.1)
    _note(f"end {request['prompt']}")
    return stub_ask.run(request, report, cancelled)


def in_turn(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    """The same, as several dashboards on one folder do it."""
    return taking_turns(run, request, report, cancelled)


def _note(line: str) -> None:
    with Path(os.environ["WHENCE_TEST_LOG"]).open("a") as log:
        log.write(line + "\n")

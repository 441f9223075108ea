"""What the worker computes for the dashboard, with a stand-in for the model: it notes when it begins and ends."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer.ask.in_turn import in_turn
from indexer.ask.kept import keep


def run(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    return in_turn(_answer, request, report, cancelled)


def _answer(request: dict[str, Any], report: Callable[..., None], cancelled: Callable[[], bool]) -> dict[str, Any]:
    folder, prompt = Path(request["folder"]), request["prompt"]
    _note(folder, f"begin {prompt}")
    report("thinking", 0.5, None)
    deadline = time.monotonic() + request.get("seconds", 0.5)
    while time.monotonic() < deadline and not cancelled():
        time.sleep(0.05)
    _note(folder, f"end {prompt}")
    result = {"model": "m", "prompt": prompt, "text": prompt.upper()}
    keep(folder, request, result)
    return result


def _note(folder: Path, line: str) -> None:
    with (folder / "log").open("a") as log:
        log.write(line + "\n")

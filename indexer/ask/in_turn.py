"""EDGE: several dashboards on one folder take turns: one question is computed at a time, and the same one once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexer.ask.kept import kept_since
from indexer.worker.job import job_id
from indexer.worker.turn import LEFT, WAITED, turn

Report = Callable[[str, float, dict[str, Any] | None], None]
Compute = Callable[[dict[str, Any], Report, Callable[[], bool]], dict[str, Any]]


def in_turn(compute: Compute, request: dict[str, Any], report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """`compute` with these, when it is this process's turn in the request's `folder`; or what another dashboard has
    answered to the same question meanwhile. {} when nobody waits any more."""
    since, folder = datetime.now(UTC), Path(str(request.get("folder", "")))
    with turn(folder, report, cancelled) as how:
        if how == LEFT:
            return {}
        known = kept_since(folder, job_id(request), since) if how == WAITED else None
        return known or compute(request, report, cancelled)

"""EDGE: whatever the dashboard's worker is asked: one process answers every kind of question, with one model open."""

from collections.abc import Callable
from typing import Any

from attribution.errors import BadInput
from indexer.ask import job as of_prompt
from indexer.ask.in_turn import in_turn
from indexer.salient import job as of_saliency
from indexer.whatif import job as of_text

Report = Callable[[str, float, dict[str, Any] | None], None]
KINDS = {"prompt": of_prompt.run, "saliency": of_saliency.run, "what_if": of_text.run}


def run(request: dict[str, Any], report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """A request by its `kind`, which a prompt need not name; raises BadInput for an unknown one."""
    kind = request.get("kind", "prompt")
    if kind not in KINDS:
        raise BadInput(f"expected a request of {', '.join(KINDS)}, found {kind!r}")
    return in_turn(KINDS[kind], request, report, cancelled)

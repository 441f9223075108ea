"""EDGE: what if, as the dashboard's worker is asked for it."""

from collections.abc import Callable
from typing import Any

from attribution.errors import BadInput
from indexer.ask.job import opened_once
from indexer.ask.opened import Opened
from indexer.corpus.prompt_file import prompt_from_row
from indexer.size.answers import Answer, answer
from indexer.size.rendered import rendered
from indexer.whatif.given import typed_document
from indexer.whatif.result import as_json
from indexer.whatif.steps import what_if
from indexer.whatif.stored import stored_answer

NAMED = ("folder", "model", "text")


def run(
    request: dict[str, Any], report: Callable[[str, float, dict[str, Any] | None], None], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """request: folder, model, text (plain, or JSON of a conversation as a row of a corpus), perhaps `instead_of` (a
    document_id) and `title`, and either generation_id of a stored answer or what a line of the prompt file may hold ->
    the result as JSON (see `result`)."""
    for name in NAMED:
        if not isinstance(request.get(name), str):
            raise BadInput(f"expected {name!r} as text in the request, found {request.get(name)!r}")
    instead_of, title = request.get("instead_of"), request.get("title") or ""
    if not isinstance(instead_of, str | None) or not isinstance(title, str):
        raise BadInput(f"expected a document_id as 'instead_of' of the request, found {instead_of!r}")
    document = typed_document(request["text"], title)
    report("opening the model", 0.02, None)
    opened = opened_once(request["folder"], request["model"])
    report("answering", 0.1, None)
    made = what_if(
        opened,
        _answer(opened, request),
        [document],
        instead_of or None,
        lambda step, fraction: report(step, fraction, None),
        cancelled,
    )
    return as_json(made, opened)


def _answer(opened: Opened, request: dict[str, Any]) -> Answer:
    member = opened.member
    if isinstance(request.get("generation_id"), str):
        return stored_answer(member, request["generation_id"])
    settings = member.config.prompts
    return answer(member.loaded, rendered(prompt_from_row(request), member.loaded, settings), settings.max_new_tokens)

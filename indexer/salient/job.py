"""EDGE: saliency of an answer by one method, as the dashboard's worker is asked for it; nothing else is computed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from attribution.errors import BadInput, TryAgain
from attribution.model.generate import completed
from attribution.prompt.explain import saliency_maps
from attribution.prompt.saliency.method import check_methods
from attribution.prompt.saliency.saliency import absent_token
from indexer.ask.job import opened_once
from indexer.ask.opened import Opened
from indexer.corpus.prompt_file import prompt_from_row
from indexer.size.answers import Answer
from indexer.size.foil import foil_of
from indexer.size.rendered import read_ids, rendered
from indexer.tracing.prompt_share import asked_of, of_span, settings_of
from indexer.whatif.stored import stored_answer

NAMED = ("folder", "model", "method")


def run(
    request: dict[str, Any], report: Callable[[str, float, dict[str, Any] | None], None], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """request: folder, model, method, and either generation_id of a stored answer or what a line of the prompt file may
    hold with the `ids` of its answer, which is not written anew -> {"method", "scores": [T, S] of every token of the
    answer over the tokens before it}.

    Raises BadInput for an unknown method and an answer that the model cannot read, TryAgain when cancelled.
    """
    for name in NAMED:
        if not isinstance(request.get(name), str):
            raise BadInput(f"expected {name!r} as text in the request, found {request.get(name)!r}")
    check_methods([request["method"]])
    report("opening the model", 0.02, None)
    opened = opened_once(request["folder"], request["model"])
    loaded, method = opened.member.loaded, request["method"]
    of = _answer(opened, request)
    foil = None if isinstance(request.get("generation_id"), str) else foil_of(of, loaded)
    settings = settings_of(opened.member.config.prompts, [method])
    settings = replace(settings, foil_id=None if foil is None else foil.token)

    def tick(_step: str) -> None:
        if cancelled():
            raise TryAgain("the question was cancelled")
        report("which words of the prompt mattered", 0.3, None)

    maps = saliency_maps(loaded.model, asked_of(of), absent_token(loaded.tokenizer), settings, tick)
    if foil is not None:
        maps = of_span(loaded, of, foil, settings, maps)
    n = len(of.generation.prompt.ids)
    rows = maps[method].scores.tolist()
    return {"method": method, "scores": [row[: n + k] for k, row in enumerate(rows)]}


def _answer(opened: Opened, request: dict[str, Any]) -> Answer:
    member = opened.member
    if isinstance(request.get("generation_id"), str):
        return stored_answer(member, request["generation_id"])
    ids = request.get("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(each, int) for each in ids):
        raise BadInput(f"expected the ids of the answer as 'ids' of the request, found {ids!r}")
    prompt = rendered(prompt_from_row(request), member.loaded, member.config.prompts)
    return Answer("", prompt, completed(member.loaded, read_ids(prompt, member.loaded), tuple(ids)))

"""EDGE: the function that the dashboard's worker calls: keeps the size that was asked last open between questions."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from attribution.prompt.saliency.method import check_methods
from indexer.ask.kept import keep
from indexer.ask.opened import Opened, configuration, open_size
from indexer.ask.result import as_json
from indexer.ask.steps import Asked, ask
from indexer.corpus.prompt_file import prompt_from_row


def run(
    request: dict[str, Any], report: Callable[[str, float, dict[str, Any] | None], None], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """request: folder, model, and what a line of the prompt file may hold: prompt, messages or question with docs,
    completion, foil; `saliency` names methods ([]: no map, the page asks for those that it shows), `exact` solves as
    `ekfac_cg` does -> the result as JSON, kept among the asked prompts of the folder. Partial results go through
    `report`."""
    for name in ("folder", "model"):
        if not isinstance(request.get(name), str):
            raise BadInput(f"expected {name!r} as text in the request, found {request.get(name)!r}")
    prompt, methods = prompt_from_row(request), request.get("saliency")
    if not isinstance(methods, list | tuple | None) or not all(isinstance(each, str) for each in methods or ()):
        raise BadInput(f"expected names of methods in 'saliency' of the request, found {methods!r}")
    check_methods(methods or ())
    exact = request.get("exact") or False
    if not isinstance(exact, bool):
        raise BadInput(f"expected true or false as 'exact' of the request, found {exact!r}")
    report("opening the model", 0.02, None)
    opened = opened_once(request["folder"], request["model"])
    report("answering", 0.1, None)

    def told(stage: str, fraction: float, asked: Asked) -> None:
        report(stage, fraction, as_json(asked, opened))

    result = as_json(ask(opened, prompt, told, cancelled, methods, exact), opened)
    lost = keep(Path(request["folder"]), request, result)
    return result | {"notices": [*result["notices"], lost]} if lost else result


def opened_once(folder: str, model: str) -> Opened:
    """A size of a build, opened anew only when another was asked for or the database was published again."""
    return _kept(folder, model, (Path(folder) / "CURRENT").read_bytes() if (Path(folder) / "CURRENT").exists() else b"")


@lru_cache(maxsize=2)
def _kept(folder: str, model: str, current: bytes) -> Opened:
    """`current` is what CURRENT says: a new publication is opened anew."""
    del current
    return open_size(configuration(Path(folder)), model)

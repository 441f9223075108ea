"""EDGE: a new prompt to a model of a build: by the road of `whence ask`, as the record of a stored answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from attribution.prompt.saliency.method import check_methods
from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import group_unit, span_unit
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from indexer.ask.job import opened_once
from indexer.ask.kept import keep
from indexer.ask.opened import configuration
from indexer.ask.result import as_json
from indexer.ask.steps import ask as ask_model
from indexer.corpus.prompt_file import prompt_from_line
from whence.answer import Answer, Evidence


def ask(
    folder: Path, now: Snapshot, prompt: str, model: str, foil: str | None, saliency: Sequence[str], save: bool
) -> Answer:
    """See `Runs.ask`."""
    where = str(folder.resolve())
    name = model or configuration(folder).model[0].name
    asked_for = prompt_from_line(prompt, foil)
    check_methods(saliency)
    opened = opened_once(where, name)
    result = as_json(ask_model(opened, asked_for, methods=saliency or None), opened)
    if save:
        request = {"folder": where, "model": name, "prompt": asked_for.text} | ({} if foil is None else {"foil": foil})
        lost = keep(folder, request, result)
        if lost:
            raise BadInput(f"{lost}; ask without save")
    return answer_of(result, now, opened.member.config.scores.method[0] if opened.traced is not None else "")


def answer_of(result: Mapping[str, Any], now: Snapshot, method: str) -> Answer:
    """The result of a question, as JSON, in the form of a stored answer."""
    model = next(each for each in answers.models(now) if each.name == result["model"])
    asked = AskedAnswer(now, result, model, result["generation_id"])
    selves = result.get("self_influence", ())
    maps = result.get("saliency", {})
    evidence = Evidence(
        now,
        asked.scores,
        dict(enumerate(selves)),
        tuple(maps),
        partial(_map, maps),
        asked.inside,
        asked,
        groups=asked.groups,
        verbatim=asked.verbatim,
        unit=partial(span_unit, asked),
        group_unit=partial(group_unit, asked),
    )
    return Answer(
        result["generation_id"],
        result["model"],
        result["prompt"],
        result["text"],
        method,
        tuple(result["notices"]),
        tuple(asked.tokens()),
        tuple(asked.prompt_tokens()),
        evidence,
    )


def _map(maps: Mapping[str, Sequence[Sequence[float]]], method: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Scores [K, S]; a token sees the P tokens of the prompt and the answer's before it, what comes later is NaN."""
    scores = np.full(shape, np.nan)
    n_prompt = shape[1] - shape[0] + 1
    for position, row in enumerate(maps[method]):
        seen = min(len(row), n_prompt + position)
        scores[position, :seen] = row[:seen]
    return scores

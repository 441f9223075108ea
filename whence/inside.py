"""Heads and neurons behind tokens of an answer, as tables; see `Answer.components` and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from attribution.errors import BadInput
from dashboard.database.components.name import Component, component_named
from dashboard.database.components.records import Floats, Split, Taught
from dashboard.database.kept.inside import KeptInside

if TYPE_CHECKING:
    import pandas as pd

COMPONENTS = ("component", "kind", "depth", "number", "direct", "total", "taught")
LENS = ("position", "depth", "logp", "rank", "top_text", "top_logp")
Span = tuple[int, int]


def components(of: KeptInside, span: Span) -> pd.DataFrame:
    """See `Answer.components`."""
    import pandas as pd

    split = known(of)
    direct, total, taught = dict[Component, float](), dict[Component, float](), dict[Component, float]()
    for each in of.effects(*span):
        for place, (written, effect) in enumerate(zip(each.direct_heads, each.total_heads, strict=True)):
            _add(direct, split.at("head", place), written)
            _add(total, split.at("head", place), effect)
        for place, written, effect in zip(each.neurons, each.direct_neurons, each.total_neurons, strict=True):
            _add(direct, split.at("neuron", place), written)
            _add(total, split.at("neuron", place), effect)
    for document in of.taught(*span):
        for component, score in through(split, document):
            _add(taught, component, abs(score))
    nothing = float("nan")
    rows = [
        (each.key, each.kind, each.depth, each.number)
        + tuple(found.get(each, nothing) for found in (direct, total, taught))
        for each in sorted({*direct, *taught})
    ]
    return pd.DataFrame(rows, columns=list(COMPONENTS))


def taught(of: KeptInside, component: str, span: Span) -> dict[str, float]:
    """What passes of each kept document through one component, nats, summed over the span."""
    split, wanted, found = known(of), named(of, component), dict[str, float]()
    for document in of.taught(*span):
        for each, score in through(split, document):
            if each == wanted:
                found[document.document_id] = found.get(document.document_id, 0.0) + score
    return found


def attention(of: KeptInside, head: str, token: int) -> Floats:
    """What a head reads where a token is decided, weights over all tokens before it.

    Raises BadInput where that is not kept.
    """
    component = named(of, head)
    found = of.attention(token, token, component.depth, component.number) if component.kind == "head" else []
    if not found:
        raise BadInput(
            f"expected a head whose attention is kept for token {token}, found {head!r}; those of largest total effect "
            "are, as many as [inside] attention says"
        )
    return found[0]


def lens(of: KeptInside, span: Span) -> pd.DataFrame:
    """See `Answer.lens`."""
    import pandas as pd

    return pd.DataFrame([asdict(each) for each in of.lens(*span)], columns=list(LENS))


def through(split: Split, document: Taught) -> Iterator[tuple[Component, float]]:
    """Every component of which something is kept."""
    lists: Sequence[tuple[str, Sequence[int], Floats]] = (
        ("head", range(len(document.head_scores)), document.head_scores),
        ("kv_head", range(len(document.kv_head_scores)), document.kv_head_scores),
        ("neuron", document.neurons, document.neuron_scores),
    )
    for kind, places, scores in lists:
        for place, score in zip(places, scores, strict=True):
            yield split.at(kind, place), float(score)


def named(of: KeptInside, component: str) -> Component:
    """Raises BadInput for one that the model does not have."""
    split, found = known(of), component_named(component)
    if found is None or not split.holds(found):
        raise BadInput(
            f"expected head:0.0 to head:{split.n_blocks - 1}.{split.n_heads - 1}, a kv_head or a neuron, found "
            f"{component!r}; depth and number count from 0"
        )
    return found


def known(of: KeptInside) -> Split:
    """Raises BadInput where the model is not split."""
    split = of.split()
    if split is None:
        raise BadInput("expected heads and neurons, found a build without them; set [inside] enabled and build again")
    if not split.known:
        raise BadInput(f"expected a model of heads and neurons, found one that is not split: {split.notice}")
    return split


def _add(sums: dict[Component, float], component: Component, value: float) -> None:
    sums[component] = sums.get(component, 0.0) + float(np.float64(value))

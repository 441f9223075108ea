"""What heads and neurons did, as columns of the tables that keep it; see indexer.database.schema."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from attribution.components.direct import Direct
from attribution.components.measured import Measured, agreement
from attribution.components.total import Total
from attribution.components.units import HEAD, NEURON
from attribution.prompt.beside import Faithfulness
from indexer.inside.answered import Inside
from indexer.size.answers import Answer
from indexer.tracing.prompt_rows import Columns, faithfulness_columns

TABLES = ("component_effect", "component_measured", "component_attention", "lens", "faithfulness")
METHOD = "component"
DECIMALS = 3  # of an attention weight: numbers of few digits take a third of the room


def columns_by_table(answer: Answer, of: Inside, words: Sequence[str]) -> dict[str, Columns]:
    """All of `TABLES`; without rows where there is nothing to say."""
    return {
        "component_effect": _effects(answer, of),
        "component_measured": _measured(answer, of.measured),
        "component_attention": _attention(answer, of),
        "lens": _lens(answer, of, words),
        "faithfulness": faithfulness_columns(answer, measures(of.measured)),
    }


def measures(measured: Measured | None) -> list[Faithfulness]:
    """How far total effects foretell what replacing does, and what the five strongest heads carry, nats of a token."""
    if measured is None or not measured.effects:
        return []
    n = len(measured.together)
    detail = f"{n} token{'s' * (n != 1)}"
    found = []
    for kind in (HEAD, NEURON):
        value = agreement(measured.effects, kind)
        if math.isfinite(value):
            found.append(Faithfulness(METHOD, f"rank_correlation_{kind}s", value, 0.0, detail))
    strongest, random = (
        float(np.mean([getattr(each, name) for each in measured.together])) for name in ("strongest", "random")
    )
    return [*found, Faithfulness(METHOD, "top_five_heads", strongest, random, detail)]


def _effects(answer: Answer, of: Inside) -> Columns:
    if of.direct is None or of.total is None:
        return _columns(answer, _EFFECT, [])
    rows = [_effect(of.direct, of.total, k, kept, of.against) for k, kept in enumerate(of.neurons)]
    return _columns(answer, _EFFECT, rows)


_EFFECT = (
    *("position", "direct_heads", "total_heads", "direct_mlp", "total_mlp"),
    *("neurons", "direct_neurons", "total_neurons", "direct_embedding", "direct_bias", "logit", "against"),
)


def _effect(written: Direct, effects: Total, k: int, kept: Any, against: str) -> tuple[Any, ...]:
    return (
        k,
        *(_floats(each.heads[k].reshape(-1)) for each in (written, effects)),
        *(_floats(each.neurons[k].sum(axis=-1)) for each in (written, effects)),
        kept.tolist(),
        *(_floats(each.neurons[k].reshape(-1)[kept]) for each in (written, effects)),
        float(written.embedding[k]),
        float(written.bias[k]),
        float(written.logit[k]),
        against,
    )


def _measured(answer: Answer, of: Measured | None) -> Columns:
    rows = [
        (each.position, *each.component, each.chosen, each.predicted, each.measured)
        for each in (() if of is None else of.effects)
    ]
    return _columns(answer, ("position", "kind", "depth", "number", "chosen", "predicted", "measured"), rows)


def _attention(answer: Answer, of: Inside) -> Columns:
    rows = [
        (each.position, each.depth, each.head, [round(float(w), DECIMALS) for w in each.weights])
        for each in of.attention
    ]
    return _columns(answer, ("position", "depth", "head", "weights"), rows)


def _lens(answer: Answer, of: Inside, words: Sequence[str]) -> Columns:
    rows: list[tuple[Any, ...]] = []
    if (seen := of.lens) is not None:
        for k, d in np.ndindex(answer.n_targets, len(seen.logp)):
            logp, top_logp = float(seen.logp[d, k]), float(seen.top_logp[d, k])
            rows.append((k, d - 1, logp, int(seen.rank[d, k]), words[int(seen.top[d, k])], top_logp))
    return _columns(answer, ("position", "depth", "logp", "rank", "top_text", "top_logp"), rows)


def _columns(answer: Answer, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Columns:
    columns: Columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return {"generation_id": [answer.generation_id] * len(rows)} | columns


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]

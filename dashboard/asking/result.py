"""The answer of the worker as an Explanation, so that a new prompt is shown by the same panels as a stored one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from dashboard.address.selection import Selection
from dashboard.database.layer_groups import layer_groups
from dashboard.database.queries import documents, influence
from dashboard.database.queries.rows import Snapshot, record
from dashboard.database.ranking import rank_documents, take_side
from dashboard.database.records import Generation, Heat, Measure, Model, Part, PromptToken, Scores, Target, Token
from dashboard.screens.context.evidence import CUES, Reading, reading
from dashboard.screens.explain.explanation import CONTRAST, SHOWN, Explanation, by_preference


def explain_answer(
    snapshot: Snapshot, selection: Selection, result: Mapping[str, Any], model: Model, job_id: str, shown: int = SHOWN
) -> Explanation:
    """Everything to say about a job's result, or about the part of it that is known so far."""
    tokens = tokens_of(result)
    last = max(len(tokens) - 1, 0)
    whole = selection.span is None or selection.span[1] > last
    span = (0, last) if whole or selection.span is None else selection.span
    rows = list(result.get("documents", []))
    targets = _targets(result, rows)
    groups = layer_groups(influence.layers(snapshot, model.model_id))
    only = next((group.members for group in groups if group.key == selection.layer), ())
    query_self = targets[span[0]].self_influence if span[0] == span[1] and span[0] in targets else float("nan")
    ranked = rank_documents(scores_of(rows, *span), selection.normaliser, query_self, only)
    top = take_side(ranked, selection.tail, shown)
    ids = list(dict.fromkeys([each.document_id for each in top] + ([selection.document] if selection.document else [])))
    in_span = [row for position in range(span[0], span[1] + 1) for row in _of(rows, position)]
    matrices: Mapping[str, Any] = result.get("saliency", {})
    methods = by_preference(name for name in matrices if not name.endswith(CONTRAST))
    method = selection.saliency if selection.saliency in methods else next(iter(methods), "")
    has_contrast = f"{method}{CONTRAST}" in matrices
    shown_map = f"{method}{CONTRAST}" if has_contrast and selection.contrast == "yes" else method
    generation = generation_of(result, model, job_id)
    return Explanation(
        generation=generation,
        siblings=[generation],
        run=None,
        runs=[],
        tokens=tokens,
        prompt_tokens=prompt_tokens_of(result),
        parts=parts_of(result),
        targets=targets,
        strengths={i: max(each["score"] for each in of) for i, of in enumerate(rows) if of},
        span=span,
        whole=whole,
        ranked=ranked,
        shown=top,
        documents=documents.documents(snapshot, ids),
        proposers={row["document_id"]: set(row.get("via", ())) for row in in_span},
        heats=_heats(snapshot, in_span, ids, model, whole or span[0] != span[1]),
        groups=groups,
        effects={
            i: each["score"] for i, of in enumerate(rows) for each in of if each["document_id"] == selection.document
        },
        has_contrast=has_contrast,
        saliency_methods=methods,
        saliency_method=method,
        saliency=_saliency(matrices.get(shown_map, []), *span),
        measures=measures_of(result),
        estimated=bool(result.get("estimated")),
    )


def read_answer(result: Mapping[str, Any], model: Model, job_id: str) -> Reading:
    """What a job's answer took from the documents of its prompt; empty where that is not known yet."""
    matrices: Mapping[str, Any] = result.get("saliency", {})
    method = next((each for each in CUES if each in matrices), "")
    cues = {position: dict(enumerate(row)) for position, row in enumerate(matrices.get(method, []))}
    return reading(
        generation_of(result, model, job_id),
        tokens_of(result),
        parts_of(result),
        prompt_tokens_of(result),
        cues,
        list(result.get("ablation", [])),
        measures_of(result),
        list(result.get("notices", [])),
    )


def generation_of(result: Mapping[str, Any], model: Model, job_id: str) -> Generation:
    """The answer under the job's name: it is in no database."""
    kind = "retrieval" if any(part.kind == "document" for part in parts_of(result)) else "completion"
    return Generation(
        job_id, "", result.get("prompt", ""), kind, "", "", result.get("text", ""), datetime.now(UTC), model
    )


def tokens_of(result: Mapping[str, Any]) -> list[Token]:
    return [_token(i, row) for i, row in enumerate(result.get("tokens", []))]


def prompt_tokens_of(result: Mapping[str, Any]) -> list[PromptToken]:
    rows = enumerate(result.get("prompt_tokens", []))
    return [PromptToken(i, row["text"], row["start"], row["stop"], row.get("part")) for i, row in rows]


def parts_of(result: Mapping[str, Any]) -> list[Part]:
    return [record(Part, row) for row in result.get("parts", [])]


def measures_of(result: Mapping[str, Any]) -> list[Measure]:
    return [record(Measure, row) for row in result.get("faithfulness", [])]


def _token(position: int, row: Mapping[str, Any]) -> Token:
    nan = float("nan")
    return Token(
        position,
        row["text"],
        row.get("start", 0),
        row.get("stop", 0),
        _number(row.get("logp"), nan),
        row.get("foil_text") or "",
        _number(row.get("foil_logp"), nan),
        row.get("bits_nothing"),
        row.get("bits_question"),
        row.get("bits_documents"),
        row.get("bits_full"),
        row.get("kl_context"),
        row.get("kl_reversed"),
        row.get("js_context"),
    )


def scores_of(rows: Sequence[Sequence[Mapping[str, Any]]], first: int, last: int) -> Scores:
    kept = [(position, row) for position in range(first, last + 1) for row in _of(rows, position)]
    depth = max((len(row.get("layer_scores") or ()) for _, row in kept), default=0)
    nan = float("nan")

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([_number(row.get(name), nan) for _, row in kept], dtype=np.float64)

    layers = [row.get("layer_scores") or [nan] * depth for _, row in kept]
    return Scores(
        position=np.array([position for position, _ in kept], dtype=np.int64),
        rank=np.array([row.get("rank", 0) for _, row in kept], dtype=np.int64),
        document_id=[row["document_id"] for _, row in kept],
        score=column("score"),
        self_influence=column("self_influence"),
        grad_norm=column("grad_norm"),
        solve_norm=column("solve_norm"),
        layer_scores=np.array(layers, dtype=np.float64).reshape(len(kept), depth),
    )


def _targets(result: Mapping[str, Any], rows: Sequence[Any]) -> dict[int, Target]:
    nulls, scored, selves = (result.get(name, []) for name in ("null_scores", "n_scored", "self_influence"))
    return {
        i: Target(
            i,
            "logp",
            float("nan"),
            _number(selves[i] if i < len(selves) else None, float("nan")),
            scored[i] if i < len(scored) else len(of),
            np.asarray(nulls[i] if i < len(nulls) else (), dtype=np.float64),
        )
        for i, of in enumerate(rows)
    }


def _heats(
    snapshot: Snapshot, rows: Sequence[Mapping[str, Any]], ids: Sequence[str], model: Model, several: bool
) -> dict[str, Heat]:
    if several:
        return {}
    stored = {row["document_id"]: row for row in rows if row["document_id"] in ids and row.get("shares")}
    texts = documents.document_tokens(snapshot, model.tokenizer_id, list(stored))
    return {
        key: Heat(texts.get(key, []), np.asarray(row["shares"]), np.asarray(row.get("loss_influences") or ()))
        for key, row in stored.items()
    }


def _saliency(matrix: Sequence[Sequence[float]], first: int, last: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for row in matrix[first : last + 1]:
        for source, score in enumerate(row):
            found[source] = found.get(source, 0.0) + score
    return found


def _of(rows: Sequence[Sequence[Mapping[str, Any]]], position: int) -> Sequence[Mapping[str, Any]]:
    return rows[position] if position < len(rows) else ()


def _number(value: Any, missing: float) -> float:
    return float(value) if isinstance(value, int | float) else missing

"""The worker's result, or as much of it as is known, as an answer that the screens can ask like a stored one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from dashboard.asking.inside_result import AskedInside
from dashboard.database.queries.documents import document_tokens
from dashboard.database.queries.rows import Snapshot, record, total_heat
from dashboard.database.records import (
    Generation,
    Heat,
    KeptScores,
    Measure,
    Model,
    PromptPart,
    PromptToken,
    Run,
    Target,
    Token,
)

Row = Mapping[str, Any]


class AskedAnswer:
    """A `dashboard.database.queries.kept_answer.KeptAnswer`: in no database, and without a run of its own."""

    run: Run | None = None
    best_method = ""

    def __init__(self, snapshot: Snapshot, result: Row, model: Model, job_id: str) -> None:
        self.snapshot = snapshot
        self.result = result
        kinds = {part.kind for part in self.parts()}
        kind = "retrieval" if "document" in kinds else "chat" if "scaffold" in kinds else "completion"
        self.generation = Generation(
            job_id, "", result.get("prompt", ""), kind, "", "", result.get("text", ""), datetime.now(UTC), model
        )
        self.siblings = [self.generation]
        self.runs: list[Run] = []
        self.estimated = bool(result.get("estimated"))
        self.inside = AskedInside(snapshot, result.get("inside") or {}, model)

    def tokens(self) -> list[Token]:
        return [_token(i, row) for i, row in enumerate(self.result.get("tokens", []))]

    def prompt_tokens(self) -> list[PromptToken]:
        rows = enumerate(self.result.get("prompt_tokens", []))
        return [PromptToken(i, row["text"], row["start"], row["stop"], row.get("part")) for i, row in rows]

    def parts(self) -> list[PromptPart]:
        return [record(PromptPart, row) for row in self.result.get("parts", [])]

    def notices(self) -> list[str]:
        return list(self.result.get("notices", []))

    @cached_property
    def _documents(self) -> list[Sequence[Row]]:
        """[T] the kept scores of every token."""
        return list(self.result.get("documents", []))

    def _rows(self, first: int, last: int) -> list[tuple[int, Row]]:
        span = enumerate(self._documents[first : last + 1], first)
        return [(position, row) for position, rows in span for row in rows]

    def targets(self) -> dict[int, Target]:
        nulls, scored, selves = (self.result.get(name, []) for name in ("null_scores", "n_scored", "self_influence"))
        return {
            i: Target(
                i,
                "logp",
                float("nan"),
                _number(selves[i] if i < len(selves) else None, float("nan")),
                scored[i] if i < len(scored) else len(of),
                np.asarray(nulls[i] if i < len(nulls) else (), dtype=np.float64),
            )
            for i, of in enumerate(self._documents)
        }

    def strengths(self) -> dict[int, float]:
        return {i: max(each["score"] for each in of) for i, of in enumerate(self._documents) if of}

    def scores(self, first: int, last: int) -> KeptScores:
        rows = self._rows(first, last)
        depth = max((len(row.get("layer_scores") or ()) for _, row in rows), default=0)
        nan = float("nan")

        def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
            return np.array([_number(row.get(name), nan) for _, row in rows], dtype=np.float64)

        layers = [row.get("layer_scores") or [nan] * depth for _, row in rows]
        return KeptScores(
            position=np.array([position for position, _ in rows], dtype=np.int64),
            rank=np.array([row.get("rank", 0) for _, row in rows], dtype=np.int64),
            document_id=[row["document_id"] for _, row in rows],
            score=column("score"),
            self_influence=column("self_influence"),
            grad_norm=column("grad_norm"),
            solve_norm=column("solve_norm"),
            layer_scores=np.array(layers, dtype=np.float64).reshape(len(rows), depth),
        )

    def proposers(self, first: int, last: int) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for _, row in self._rows(first, last):
            found.setdefault(row["document_id"], set()).update(row.get("via", ()))
        return found

    def heats(self, first: int, last: int, ids: Sequence[str]) -> dict[str, Heat]:
        stored: dict[str, list[Row]] = {}
        for _, row in self._rows(first, last):
            if row["document_id"] in ids and row.get("shares"):
                stored.setdefault(row["document_id"], []).append(row)
        whole = {key: rows for key, rows in stored.items() if len(rows) == last - first + 1}
        texts = document_tokens(self.snapshot, self.generation.model.tokenizer_id, list(whole))
        return {key: total_heat(texts.get(key, []), rows) for key, rows in whole.items()}

    def effects(self, document_id: str) -> dict[int, float]:
        return {
            position: row["score"]
            for position, row in self._rows(0, len(self._documents))
            if row["document_id"] == document_id
        }

    @property
    def _saliency(self) -> Mapping[str, Sequence[Sequence[float]]]:
        """method -> [T, S]"""
        maps: Mapping[str, Sequence[Sequence[float]]] = self.result.get("saliency", {})
        return maps

    def saliency_methods(self) -> list[str]:
        return list(self._saliency)

    def saliency(self, first: int, last: int, method: str) -> dict[int, float]:
        found: dict[int, float] = {}
        for row in self._saliency.get(method, [])[first : last + 1]:
            for source, score in enumerate(row):
                found[source] = found.get(source, 0.0) + score
        return found

    def saliency_rows(self, method: str) -> dict[int, dict[int, float]]:
        return {position: dict(enumerate(row)) for position, row in enumerate(self._saliency.get(method, []))}

    def ablations(self) -> list[dict[str, Any]]:
        return list(self.result.get("ablation", []))

    def measures(self) -> list[Measure]:
        return [record(Measure, row) for row in self.result.get("faithfulness", [])]


def _token(position: int, row: Row) -> Token:
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


def _number(value: Any, missing: float) -> float:
    return float(value) if isinstance(value, int | float) else missing

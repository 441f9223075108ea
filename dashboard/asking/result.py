"""The worker's result, or as much of it as is known, as an answer that the screens can ask like a stored one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from dashboard.asking.inside_result import AskedInside
from dashboard.asking.many_result import groups_of, verbatim_of
from dashboard.asking.score_rows import Row, heats_of, number, proposers_of, scores_of
from dashboard.database.group_records import GroupScore
from dashboard.database.queries import answers, influence
from dashboard.database.queries.rows import Snapshot, record
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
from dashboard.database.span_records import AnswerSpan, VerbatimSpan
from dashboard.database.unit import Calibration


class AskedAnswer:
    """A `dashboard.database.kept.answer.KeptAnswer`: in no database, and without a run of its own."""

    run: Run | None = None
    best_method = ""
    of_groups = None  # as everything here

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
        self.calibration = self.group_calibration = calibration_of(snapshot, result, model.model_id)
        self.inside = AskedInside(snapshot, result.get("inside") or {}, model)

    def tokens(self) -> list[Token]:
        return [_token(i, row) for i, row in enumerate(self.result.get("tokens", []))]

    def prompt_tokens(self) -> list[PromptToken]:
        rows = enumerate(self.result.get("prompt_tokens", []))
        return [PromptToken(i, row["text"], row["start"], row["stop"], row.get("part")) for i, row in rows]

    def parts(self) -> list[PromptPart]:
        return [record(PromptPart, row) for row in self.result.get("parts", [])]

    def said_nats(self) -> list[float]:
        """How surprising each token is that was said, none of a template: nats; [] where that was not measured."""
        scaffold = {part.part for part in self.parts() if part.kind == "scaffold"}
        rows = self.result.get("prompt_tokens", [])
        return [row["nats"] for row in rows if row.get("nats") is not None and row.get("part") not in scaffold]

    def notices(self) -> list[str]:
        return list(self.result.get("notices", []))

    def _measurement(self, position: int) -> str:
        return "contrast" if position in self.result.get("contrasted", ()) else "logp"

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
                self._measurement(i),
                float("nan"),
                number(selves[i] if i < len(selves) else None),
                scored[i] if i < len(scored) else len(of),
                np.asarray(nulls[i] if i < len(nulls) else (), dtype=np.float64),
            )
            for i, of in enumerate(self._documents)
        }

    def strengths(self) -> dict[int, float]:
        return {i: max(each["score"] for each in of) for i, of in enumerate(self._documents) if of}

    def scores(self, first: int, last: int) -> KeptScores:
        return scores_of(self._rows(first, last))

    def proposers(self, first: int, last: int) -> dict[str, set[str]]:
        return proposers_of(row for _, row in self._rows(first, last))

    def heats(self, first: int, last: int, ids: Sequence[str]) -> dict[str, Heat]:
        rows = [row for _, row in self._rows(first, last)]
        return heats_of(self.snapshot, self.generation.model.tokenizer_id, rows, ids, last - first + 1)

    def effects(self, document_id: str) -> dict[int, float]:
        return {
            position: row["score"]
            for position, row in self._rows(0, len(self._documents))
            if row["document_id"] == document_id
        }

    @cached_property
    def _spans(self) -> dict[int, Row]:
        """By their number: words in order, the whole answer last."""
        return dict(enumerate(self.result.get("spans") or ()))

    def spans(self) -> list[AnswerSpan]:
        return [record(AnswerSpan, {**row, "span": i}) for i, row in self._spans.items()]

    def span_target(self, of: AnswerSpan) -> Target | None:
        """None while there are estimates only."""
        row = self._spans[of.span]
        if row.get("n_scored") is None:
            return None
        nulls = np.asarray(row.get("null_scores") or (), dtype=np.float64)
        of_itself = number(row.get("self_influence"))
        return Target(
            of.first, self._measurement(of.first), number(row.get("value")), of_itself, row["n_scored"], nulls
        )

    def _of_span(self, of: AnswerSpan) -> Sequence[Row]:
        rows: Sequence[Row] = self._spans[of.span].get("documents") or ()
        return rows

    def span_scores(self, of: AnswerSpan) -> KeptScores:
        return scores_of([(of.first, row) for row in self._of_span(of)])

    def span_proposers(self, of: AnswerSpan) -> dict[str, set[str]]:
        return proposers_of(self._of_span(of))

    def span_heats(self, of: AnswerSpan, ids: Sequence[str]) -> dict[str, Heat]:
        return heats_of(self.snapshot, self.generation.model.tokenizer_id, self._of_span(of), ids, 1)

    def groups(self, first: int, last: int) -> list[GroupScore]:
        return groups_of(self.result.get("groups") or (), first, last)

    def verbatim(self) -> list[VerbatimSpan] | None:
        """None while nothing was looked for, and where the build has no such index."""
        rows = self.result.get("verbatim")
        return None if rows is None else [verbatim_of(row) for row in rows]

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

    @property
    def knows_context(self) -> bool:
        """Whether the prompt's part in it is computed; there need be no ablations then."""
        return "ablation" in self.result

    def ablations(self) -> list[dict[str, Any]]:
        return list(self.result.get("ablation", []))

    def measures(self) -> list[Measure]:
        return [record(Measure, row) for row in self.result.get("faithfulness", [])]


def calibration_of(snapshot: Snapshot, result: Row, model_id: str) -> Calibration | None:
    """Of the method that a result comes from, by the run that the database has of it. The queries of exact scores may
    be solved by another one than plain EK-FAC; first estimates are not."""
    solved = {} if result.get("estimated") else result.get("solved") or {}
    method = solved.get("method", "ekfac")
    run = next((each for each in answers.runs(snapshot, model_id) if each.method == method), None)
    return influence.calibration(snapshot, run.run_id) if run else None


def _token(position: int, row: Row) -> Token:
    return Token(
        position,
        row["text"],
        row.get("start", 0),
        row.get("stop", 0),
        number(row.get("logp")),
        row.get("foil_text") or "",
        number(row.get("foil_logp")),
        row.get("bits_nothing"),
        row.get("bits_question"),
        row.get("bits_documents"),
        row.get("bits_full"),
        row.get("kl_context"),
        row.get("kl_reversed"),
        row.get("js_context"),
    )

"""An answer as the screens ask about it, wherever it is kept: in the database, or in the result of a job."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dashboard.database.group_records import GroupScore
from dashboard.database.kept.inside import KeptInside, StoredInside
from dashboard.database.queries import answers, groups, influence, prompts, spans, verbatim
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import (
    Generation,
    Heat,
    KeptScores,
    Measure,
    PromptPart,
    PromptToken,
    Run,
    Target,
    Token,
)
from dashboard.database.span_records import AnswerSpan, VerbatimSpan
from dashboard.database.unit import Calibration, Unit, logp_of, unit_for


class KeptAnswer(Protocol):
    """first, last: tokens of the answer, both included. Of asked prompts see dashboard.asking.result."""

    @property
    def generation(self) -> Generation: ...
    @property
    def siblings(self) -> list[Generation]: ...
    @property
    def runs(self) -> list[Run]: ...
    @property
    def run(self) -> Run | None: ...
    @property
    def best_method(self) -> str: ...
    @property
    def of_groups(self) -> Run | None: ...
    @property
    def calibration(self) -> Calibration | None: ...
    @property
    def group_calibration(self) -> Calibration | None: ...
    @property
    def estimated(self) -> bool: ...
    @property
    def inside(self) -> KeptInside: ...

    def tokens(self) -> list[Token]: ...
    def prompt_tokens(self) -> list[PromptToken]: ...
    def parts(self) -> list[PromptPart]: ...
    def notices(self) -> list[str]: ...
    def targets(self) -> dict[int, Target]: ...
    def strengths(self) -> dict[int, float]: ...
    def scores(self, first: int, last: int) -> KeptScores: ...
    def proposers(self, first: int, last: int) -> dict[str, set[str]]: ...
    def heats(self, first: int, last: int, ids: Sequence[str]) -> dict[str, Heat]: ...
    def effects(self, document_id: str) -> dict[int, float]: ...
    def spans(self) -> list[AnswerSpan]: ...
    def span_target(self, of: AnswerSpan) -> Target | None: ...
    def span_scores(self, of: AnswerSpan) -> KeptScores: ...
    def span_proposers(self, of: AnswerSpan) -> dict[str, set[str]]: ...
    def span_heats(self, of: AnswerSpan, ids: Sequence[str]) -> dict[str, Heat]: ...
    def groups(self, first: int, last: int) -> list[GroupScore]: ...
    def verbatim(self) -> list[VerbatimSpan] | None: ...
    def saliency_methods(self) -> list[str]: ...
    def saliency(self, first: int, last: int, method: str) -> dict[int, float]: ...
    def saliency_rows(self, method: str) -> Mapping[int, Mapping[int, float]]: ...
    def ablations(self) -> list[dict[str, Any]]: ...
    def measures(self) -> list[Measure]: ...


class StoredAnswer:
    """An answer of the database, seen through one run: the wanted one, else that of the method that evaluation found
    best, else the first."""

    estimated = False

    def __init__(self, snapshot: Snapshot, generation: Generation, wanted_run: str = "") -> None:
        self.snapshot = snapshot
        self.generation = generation
        self.siblings = answers.generations_of(snapshot, [generation.prompt_id])[generation.prompt_id]
        self.runs = answers.runs(snapshot, generation.model.model_id)
        several = len(self.runs) > 1
        self.best_method = answers.measured_best(snapshot, generation.model.model_id) if several else ""
        wanted = [each for each in self.runs if each.run_id == wanted_run]
        self.run = next(iter([*wanted, *answers.best_first(snapshot, generation.model.model_id)]), None)
        self.of_groups = next(iter(self.runs), None)
        self.inside: KeptInside = StoredInside(snapshot, generation, self.run)
        self._ids = (self.run.run_id if self.run else "", generation.generation_id)
        self.calibration = influence.calibration(snapshot, self._ids[0])
        self.group_calibration = influence.calibration(snapshot, self.of_groups.run_id) if self.of_groups else None

    def tokens(self) -> list[Token]:
        return answers.tokens(self.snapshot, self.generation.generation_id)

    def prompt_tokens(self) -> list[PromptToken]:
        return answers.prompt_tokens(self.snapshot, self.generation.model.tokenizer_id, self.generation.prompt_id)

    def parts(self) -> list[PromptPart]:
        return answers.prompt_parts(self.snapshot, self.generation.prompt_id)

    def notices(self) -> list[str]:
        return answers.notices(self.snapshot, self.generation.generation_id)

    def targets(self) -> dict[int, Target]:
        return influence.targets(self.snapshot, *self._ids)

    def strengths(self) -> dict[int, float]:
        return influence.strengths(self.snapshot, *self._ids)

    def scores(self, first: int, last: int) -> KeptScores:
        return influence.kept_scores(self.snapshot, *self._ids, first, last)

    def proposers(self, first: int, last: int) -> dict[str, set[str]]:
        return influence.proposers(self.snapshot, self.generation.generation_id, first, last)

    def heats(self, first: int, last: int, ids: Sequence[str]) -> dict[str, Heat]:
        return influence.heats(self.snapshot, *self._ids, first, last, self.generation.model.tokenizer_id, ids)

    def effects(self, document_id: str) -> dict[int, float]:
        return influence.document_effects(self.snapshot, *self._ids, document_id) if document_id else {}

    def spans(self) -> list[AnswerSpan]:
        return spans.answer_spans(self.snapshot, *self._ids)

    def span_target(self, of: AnswerSpan) -> Target | None:
        return spans.span_target(self.snapshot, *self._ids, of)

    def span_scores(self, of: AnswerSpan) -> KeptScores:
        return spans.span_scores(self.snapshot, *self._ids, of)

    def span_proposers(self, of: AnswerSpan) -> dict[str, set[str]]:
        """Of all spans of the answer, which are scored on the same documents."""
        return spans.span_proposers(self.snapshot, self.generation.generation_id)

    def span_heats(self, of: AnswerSpan, ids: Sequence[str]) -> dict[str, Heat]:
        return spans.span_heats(self.snapshot, *self._ids, of, self.generation.model.tokenizer_id, ids)

    def groups(self, first: int, last: int) -> list[GroupScore]:
        run_id = self.of_groups.run_id if self.of_groups else ""
        return groups.answer_groups(self.snapshot, run_id, self._ids[1], first, last)

    def verbatim(self) -> list[VerbatimSpan] | None:
        return verbatim.verbatim_spans(self.snapshot, self.generation.generation_id)

    def saliency_methods(self) -> list[str]:
        return prompts.saliency_methods(self.snapshot, self.generation.generation_id)

    def saliency(self, first: int, last: int, method: str) -> dict[int, float]:
        return prompts.saliency(self.snapshot, self.generation.generation_id, first, last, method)

    def saliency_rows(self, method: str) -> dict[int, dict[int, float]]:
        return prompts.saliency_rows(self.snapshot, self.generation.generation_id, method)

    def ablations(self) -> list[dict[str, Any]]:
        return prompts.ablations(self.snapshot, self.generation.generation_id)

    def measures(self) -> list[Measure]:
        return prompts.measures(self.snapshot, self.generation.generation_id)


def span_unit(answer: KeptAnswer, first: int, last: int) -> Unit:
    """Of influences on the tokens first..last of an answer."""
    return unit_for(answer.calibration, logp_of(answer.tokens(), answer.targets(), first, last), ())


def group_unit(answer: KeptAnswer, first: int, last: int) -> Unit:
    """The same of influences of whole groups, which may be of another run."""
    return unit_for(answer.group_calibration, logp_of(answer.tokens(), answer.targets(), first, last), ())

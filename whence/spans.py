"""Words and the whole of an answer, each explained as one: of the database, or of what a model has just said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dashboard.database.queries import spans
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import KeptScores, Target
from dashboard.database.span_records import ANSWER, AnswerSpan


class KeptSpans(Protocol):
    """What an answer knows of its spans."""

    def spans(self) -> list[AnswerSpan]: ...
    def span_target(self, of: AnswerSpan) -> Target | None: ...
    def span_scores(self, of: AnswerSpan) -> KeptScores: ...


@dataclass(frozen=True)
class StoredSpans:
    """Of one answer by one run; a file of before has none."""

    snapshot: Snapshot
    run_id: str
    generation_id: str

    def spans(self) -> list[AnswerSpan]:
        return spans.answer_spans(self.snapshot, self.run_id, self.generation_id) if self.run_id else []

    def span_target(self, of: AnswerSpan) -> Target | None:
        return spans.span_target(self.snapshot, self.run_id, self.generation_id, of)

    def span_scores(self, of: AnswerSpan) -> KeptScores:
        return spans.span_scores(self.snapshot, self.run_id, self.generation_id, of)


def span_of(known: Sequence[AnswerSpan], tokens: tuple[int, int] | None) -> AnswerSpan | None:
    """The span that these tokens are, of one token alone a token's; without any, the whole answer."""
    if tokens is None:
        return next((of for of in known if of.kind == ANSWER), None)
    return next((of for of in known if (of.first, of.last) == tokens and of.first < of.last), None)

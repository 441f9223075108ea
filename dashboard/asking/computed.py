"""An answer with a map of its prompt that was computed when somebody looked at it, beside those that are kept."""

from collections.abc import Mapping, Sequence

from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import StoredAnswer

Map = Sequence[Sequence[float]]  # [T][S] of every token of the answer, what each token before it did


class WithComputed(StoredAnswer):
    """A stored answer with such maps."""

    computed: Mapping[str, Map] = {}

    def saliency_methods(self) -> list[str]:
        return list(dict.fromkeys([*super().saliency_methods(), *self.computed]))

    def saliency(self, first: int, last: int, method: str) -> dict[int, float]:
        if method not in self.computed:
            return super().saliency(first, last, method)
        return summed(self.computed[method][first : last + 1])

    def saliency_rows(self, method: str) -> dict[int, dict[int, float]]:
        if method not in self.computed:
            return super().saliency_rows(method)
        return {position: dict(enumerate(row)) for position, row in enumerate(self.computed[method])}


def with_map(answer: StoredAnswer | AskedAnswer, method: str, scores: Map) -> StoredAnswer | AskedAnswer:
    """The same answer; a map that it has already stays as it is kept."""
    if method in answer.saliency_methods():
        return answer
    if isinstance(answer, AskedAnswer):
        known = {**answer.result, "saliency": {**answer.result.get("saliency", {}), method: scores}}
        return AskedAnswer(answer.snapshot, known, answer.generation.model, answer.generation.generation_id)
    wanted = answer.run.run_id if answer.run else ""
    made = WithComputed(answer.snapshot, answer.generation, wanted)
    made.computed = {method: scores}
    return made


def summed(rows: Map) -> dict[int, float]:
    """source -> the sum over some tokens of the answer."""
    found: dict[int, float] = {}
    for row in rows:
        for source, score in enumerate(row):
            found[source] = found.get(source, 0.0) + score
    return found

"""The worker's result about a text that was not trained on, as records; its form is in `indexer.whatif.result`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.asking.result import calibration_of
from dashboard.asking.score_rows import number
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import AsRead
from dashboard.database.span_records import AnswerSpan
from dashboard.database.unit import Calibration, Unit, unit_for

Row = Mapping[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Given:
    """A text as training would read it.

    scores: [K] nats, of the answer's tokens; shares: [K, T] or [0, 0], of the text's tokens; known: the model was
    trained on these very words; n_cut: tokens that training would drop.
    """

    title: str
    text: str
    known: bool
    n_cut: int
    read: AsRead
    scores: Floats
    shares: Floats

    def heat(self, first: int, last: int) -> Floats:
        """[T] what each of its tokens carries for the answer's tokens first..last; [0] where that is not known."""
        return self.shares[first : last + 1].sum(0) if len(self.shares) > last else np.empty(0)


@dataclass(frozen=True)
class Change:
    """What a text does in place of another, or as one more (`old_out` is None): `whole`, which the parts add up to."""

    whole: float
    new_in: float
    old_out: float | None


@dataclass(frozen=True)
class WhatIf:
    """What one text would have done to one answer: `given` in place of `before`, or as one more (`before` is None)."""

    model: str
    prompt: str
    answer: str
    tokens: list[str]  # [K] of the answer
    spans: list[AnswerSpan]  # words in order, the whole answer last
    of_spans: Mapping[tuple[int, int], tuple[float, float | None, float]]  # their sums, as in `sums`
    given: Given
    before: Given | None
    stage: str  # the model whose training would have read it
    n_train: int
    notices: list[str]
    logp: list[float]  # [K] of the tokens of the answer
    contrasted: frozenset[int]  # tokens that are explained against a foil
    calibration: Calibration | None = None

    def unit(self, first: int, last: int) -> Unit:
        """In which influences on the tokens first..last are shown: without a slope, percent of the larger of the two
        texts' influences on the whole answer."""
        differs = any(i in self.contrasted for i in range(first, last + 1))
        new, old, _ = self.sums(0, len(self.tokens) - 1)
        return unit_for(self.calibration, None if differs else sum(self.logp[first : last + 1]), [new, old or 0.0])

    def shown(self, first: int, last: int) -> Change:
        """What the text does to the tokens first..last, as a page has it: one change, of the raw new less the raw old.

        A difference of two calibrated numbers would be another one, as the calibration is no straight line. Both parts
        are multiplied by what that one change is, so that they add up to it.
        """
        unit, (new, old, change) = self.unit(first, last), self.sums(first, last)
        factor = unit.factor(change)
        return Change(unit.shown(change), factor * new, None if old is None else -factor * old)

    def heat(self, of: Given, first: int, last: int) -> Floats:
        """[T] what each token of a text carries of its part of that change; [0] where that is not known."""
        factor = self.unit(first, last).factor(self.sums(first, last)[2])
        return (-factor if of is self.before else factor) * of.heat(first, last)

    @property
    def changes(self) -> list[float]:
        """[K] what the text does to each token, as a page has it."""
        return [self.shown(i, i).whole for i in range(len(self.tokens))]

    @property
    def difference(self) -> Floats:
        """[K] nats, new less old; of a further text, what it adds."""
        return self.given.scores - (self.before.scores if self.before else 0.0)

    def sums(self, first: int, last: int) -> tuple[float, float | None, float]:
        """(of the new text, of the old one or None, difference) over the tokens first..last, nats; of a word and of the
        answer as the worker has them, for tokens that are contrasted as one count once there."""
        if (first, last) in self.of_spans:
            return self.of_spans[first, last]
        new, change = (float(each[first : last + 1].sum()) for each in (self.given.scores, self.difference))
        return new, None if self.before is None else float(self.before.scores[first : last + 1].sum()), change


def what_if_in(snapshot: Snapshot, result: Row) -> WhatIf | None:
    """As `what_if_of`, in the unit of the size that was asked, whichever one a page shows."""
    model = next((each for each in answers.models(snapshot) if each.name == result.get("model")), None)
    return what_if_of(result, calibration_of(snapshot, result, model.model_id) if model else None)


def what_if_of(result: Row, calibration: Calibration | None = None) -> WhatIf | None:
    """calibration: of the method that made it. None where the result is no such thing, or not whole."""
    texts = result.get("texts") or []
    if result.get("kind") != "what_if" or not texts or not result.get("tokens"):
        return None
    before = result.get("instead_of")
    names = ("kind", "first", "last", "start", "stop")
    spans = [AnswerSpan(i, **{name: each[name] for name in names}) for i, each in enumerate(result.get("spans", []))]
    made = WhatIf(
        model=str(result.get("model", "")),
        prompt=str(result.get("prompt", "")),
        answer=str(result.get("text", "")),
        tokens=[str(each["text"]) for each in result["tokens"]],
        spans=spans,
        of_spans={(of.first, of.last): _sums(each) for of, each in zip(spans, result.get("spans", []), strict=True)},
        given=_given(texts[0]),
        before=_given(before) if before else None,
        stage=str(result.get("stage", "")),
        n_train=int(result.get("n_train") or 0),
        notices=[str(each) for each in result.get("notices", [])],
        logp=[number(each.get("logp")) for each in result["tokens"]],
        contrasted=frozenset(result.get("contrasted") or ()),
        calibration=calibration,
    )
    n = len(made.tokens)
    whole = len(made.given.scores) == n and (made.before is None or len(made.before.scores) == n)
    return made if whole else None


def _sums(span: Row) -> tuple[float, float | None, float]:
    new, old, change = float(span["scores"][0]), span.get("instead_of"), span.get("difference")
    return new, None if old is None else float(old), new if change is None else float(change)


def _given(row: Row) -> Given:
    tokens: Sequence[Row] = row.get("tokens") or []
    shares = np.asarray(row.get("shares") or np.empty((0, 0)), dtype=np.float64)
    return Given(
        title=str(row.get("title", "")),
        text=str(row.get("text", "")),
        known=bool(row.get("known")),
        n_cut=int(row.get("n_cut") or 0),
        read=AsRead(
            texts=[str(each["text"]) for each in tokens],
            starts=[int(each["start"]) for each in tokens],
            stops=[int(each["stop"]) for each in tokens],
            windows=[int(each["read_in"]) for each in tokens],
            learned=[bool(each["learned"]) for each in tokens],
        ),
        scores=np.asarray(row.get("scores") or (), dtype=np.float64),
        shares=shares if shares.ndim == 2 else np.empty((0, 0)),
    )

"""In which unit influences stand on a page: nats that retraining has calibrated, or shares of the strongest. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attribution.calibrated import change
from dashboard.database.group_records import GroupScore
from dashboard.database.ranking import Ranked, layer_total
from dashboard.database.records import Target, Token

NATS, SHARE = "nats", "%"
PLAIN = ("logp", "mean_logp", "")  # measurements that are a log-probability; of all others only differences are known
NO_SLOPE = "No retraining has measured how large one nat of this model is; shares and ranks only."
WIDEST = 4.0  # times its lower end may the upper end of a slope's interval be
NO_SIZE = "Retraining does not tell how large one nat of this model is; shares and ranks only."


@dataclass(frozen=True)
class Calibration:
    """Of one method on one model: `slope` nats were measured for one that was predicted, with a 95 % interval,
    None where too few models or queries were there to know one;
    held_out_slope: the same of calibrated nats on the measurements that did not calibrate, 1 where they hold."""

    slope: float
    low: float | None
    high: float | None
    held_out_slope: float
    n: int
    how: str

    @property
    def holds(self) -> bool:
        """Whether the size is known to a factor of two each way: the interval leaves out 0 and spans no more than 4."""
        return self.low is not None and self.high is not None and self.low > 0 and self.high <= WIDEST * self.low


@dataclass(frozen=True)
class Unit:
    """How the influences of one list are shown.

    slope: None where it is not known, and then they are percent of `top`, the largest size of the list; logp: of what
    they are about, None for a difference of log-probabilities; why: there are no nats, a sentence; interval: of the
    slope, None where there is none.
    """

    slope: float | None = None
    logp: float | None = None
    top: float = 1.0
    why: str = NO_SLOPE
    interval: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """As it stands behind a number."""
        return SHARE if self.slope is None else NATS

    @property
    def meaning(self) -> str:
        """For the caption of a list."""
        if self.slope is None:
            return f"Percent of the strongest of this list. {self.why}"
        low, high = self.interval or (self.slope, self.slope)
        return (
            "Predicted change of log-probability if the document were seen once more in training, scaled by what "
            f"retraining has measured: {self.slope:.2g} nats ({low:.2g} to {high:.2g}) for one that is predicted, on "
            "siblings trained on halves of their documents."
        )

    def over(self, scores: Iterable[float]) -> "Unit":
        """The same for another list on the same target."""
        return replace(self, top=top_of(scores))

    def shown(self, score: float) -> float:
        """An influence as the page has it; NaN stays NaN."""
        if self.slope is None:
            return 100 * score / self.top
        return float(change(score, self.slope, self.logp))

    def factor(self, score: float) -> float:
        """What the parts of an influence are multiplied by, so that they add up to what is shown of it."""
        if score == 0 or not math.isfinite(score):
            return 100 / self.top if self.slope is None else self.slope
        return self.shown(score) / score

    def parts(self, values: ArrayLike, score: float) -> NDArray[np.float64]:
        """Layers or positions of an influence: its shown amount times their shares."""
        return np.asarray(values, dtype=np.float64) * self.factor(score)

    def groups(self, of: Sequence[GroupScore]) -> list[GroupScore]:
        """Whole groups as the page has them; a standard error is half of what it moves the amount by."""
        return [
            replace(each, score=self.shown(each.score), error=self.half_width(each.score, each.error)) for each in of
        ]

    def half_width(self, score: float, error: float | None) -> float | None:
        """The shown half-width of an influence that is known to `error`."""
        return None if error is None else (self.shown(score + error) - self.shown(score - error)) / 2


def unit_for(calibration: Calibration | None, logp: float | None, scores: Iterable[float]) -> Unit:
    """The unit of a list of influences on one target.    logp: None for a difference, NaN where it is not known"""
    top = top_of(scores)
    slope = slope_of(calibration)
    if slope is None or (logp is not None and not math.isfinite(logp)):
        return Unit(None, None, top, NO_SLOPE if slope is None and calibration is None else NO_SIZE)
    return Unit(slope, logp, top, interval=_interval(calibration))


def _interval(of: Calibration | None) -> tuple[float, float] | None:
    return None if of is None or of.low is None or of.high is None else (of.low, of.high)


def change_nats(unit: Unit, score: float | None) -> float:
    """For sheets, where an influence stands as it is stored beside it: calibrated nats, NaN where no slope is known."""
    return float("nan") if unit.slope is None or score is None else unit.shown(score)


def top_of(scores: Iterable[float]) -> float:
    """The largest size; 1 where there is none."""
    return max((abs(each) for each in scores if math.isfinite(each)), default=0.0) or 1.0


def slope_of(calibration: Calibration | None) -> float | None:
    """None where none was measured, or none whose size is known."""
    return calibration.slope if calibration is not None and calibration.holds else None


def logp_of(tokens: Sequence[Token], targets: Mapping[int, Target], first: int, last: int) -> float | None:
    """log p of the tokens first..last together; None where one of them is explained by a difference."""
    if any(targets[i].measurement not in PLAIN for i in range(first, last + 1) if i in targets):
        return None
    return sum(token.logp for token in tokens[first : last + 1])


def by_token(
    calibration: Calibration | None,
    scores: Mapping[int, float],
    tokens: Sequence[Token],
    targets: Mapping[int, Target],
) -> tuple[dict[int, float], str]:
    """One influence on each of several tokens as the page has them, and the name of their unit."""
    known = {i: score for i, score in scores.items() if i < len(tokens)}
    found, name = on_each(calibration, [(score, logp_of(tokens, targets, i, i)) for i, score in known.items()])
    return dict(zip(known, found, strict=True)), name


def parts_by_token(
    calibration: Calibration | None,
    parts: Mapping[int, tuple[float, float]],
    tokens: Sequence[Token],
    targets: Mapping[int, Target],
) -> tuple[dict[int, float], str]:
    """The same of (a part of an influence, the whole of it) on each token; shares are those of the strongest part."""
    known = {i: of for i, of in parts.items() if i < len(tokens)}
    units = {i: unit_for(calibration, logp_of(tokens, targets, i, i), [whole]) for i, (_, whole) in known.items()}
    if all(unit.slope is not None for unit in units.values()):
        return {i: float(units[i].parts(part, whole)) for i, (part, whole) in known.items()}, NATS
    share = unit_for(None, None, [part for part, _ in known.values()])
    return {i: share.shown(part) for i, (part, _) in known.items()}, SHARE


def on_each(calibration: Calibration | None, of: Sequence[tuple[float, float | None]]) -> tuple[list[float], str]:
    """Influences on different targets of one model as a page has them, and the name of their unit.

    of: (influence, log p of its target; None for a difference)
    """
    scores = [score for score, _ in of]
    units = [unit_for(calibration, logp, scores) for _, logp in of]
    if all(each.slope is not None for each in units):
        return [unit.shown(score) for unit, score in zip(units, scores, strict=True)], NATS
    share = unit_for(None, None, scores)
    return [share.shown(score) for score in scores], SHARE


def shown_layers(ranked: Sequence[Ranked], unit: Unit) -> NDArray[np.float64]:
    """[L] what passes through each layer, as it is shown; of several documents what all of them together would change.
    [0] without any."""
    return unit.parts(layer_total(list(ranked)), sum(each.score for each in ranked))


def without_slope(names: Sequence[str]) -> str:
    """`NO_SLOPE` of these models."""
    return NO_SLOPE.replace("this model", " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))))

"""One figure of an evaluation, as the table `evaluation` holds it: pure.

What the names of `metric` mean stands in `metrics.py`.
`detail` is JSON: {"low", "high": the 95 % interval or null, "n": what it is a mean of, "how": words}.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from indexer.evaluate.statistics.bootstrap import Estimate, estimate


@dataclass(frozen=True)
class Figure:
    """A number of one method on one model."""

    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    how: str

    @property
    def detail(self) -> str:
        return json.dumps({name: asdict(self)[name] for name in ("low", "high", "n", "how")}, ensure_ascii=False)


def figure(method: str, metric: str, values: ArrayLike, how: str) -> Figure:
    """The mean of the values with its interval.    values: [n], n ≥ 1"""
    return estimated(method, metric, estimate(values), how)


def estimated(method: str, metric: str, of: Estimate, how: str) -> Figure:
    """A mean with its interval, as far as that is known; of one case it is not."""
    low, high = (of.low, of.high) if of.n > 1 else (None, None)
    return Figure(method, metric, of.value, low, high, of.n, how)


def columns(model_id: str, figures: Sequence[Figure]) -> dict[str, list[object]]:
    """Rows of `evaluation`."""
    return {
        "model_id": [model_id] * len(figures),
        "method": [each.method for each in figures],
        "metric": [each.metric for each in figures],
        "value": [each.value for each in figures],
        "detail": [each.detail for each in figures],
    }


def restored(row: dict[str, Any]) -> Figure:
    """A row of `evaluation` as the figure that it was made from."""
    return Figure(row["method"], row["metric"], row["value"], **json.loads(row["detail"]))

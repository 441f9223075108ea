"""One figure of an evaluation, as the table `evaluation` holds it: pure.

`detail` is JSON: {"low", "high": the 95 % interval or null, "n": what it is a mean of, "how": words}.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from indexer.evaluate.statistics.bootstrap import estimate

METRICS: dict[str, str] = {
    "lds": "rank correlation of predicted and measured log-probabilities over models retrained on random halves",
    "lds_without_self": "the same after the effect of the query's own document is taken out of both",
    "mrr": "mean of 1 / rank of the best document that states the answer",
    "recall@1": "share of answers with such a document at rank 1",
    "recall@10": "share of answers with such a document among the first ten",
    "planted@3": "share of invented facts whose only document is among the first three",
    "tail_patch": "change of log p of the answer, nats a token, after one training step on the ten top documents",
    "stability": "rank correlation of the scores of all documents with those of another setting",
    "index@50": "share of the exact ten most influential documents among the first 50 of the gradient index",
    "index@200": "share of the exact ten most influential documents among the first 200 of the gradient index",
    "index, all sources": "the same among 50 of the index and what other sources propose as candidates",
    "index, rank correlation": "of estimated and exact influence over all documents",
    "pbrf": "correlation of influence with the proximal Bregman response that optimisation finds",
}
REMOVED = "the top {} documents left out of a new training"


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
    of = estimate(values)
    return Figure(method, metric, of.value, of.low, of.high, of.n, how)


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

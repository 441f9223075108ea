"""The inner product of gradients at the final weights, no curvature."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config.estimator import Estimator, Numbers, once

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from indexer.evaluate.scoring.given import Given
    from indexer.size.fitted import Fitted
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


def checkpoints(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    from indexer.tracing.sums.products import final_weights

    return final_weights(fitted.member)


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    from indexer.tracing.sums.products import sum_of_products

    return sum_of_products(of)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    yield "gradient_dot", given.gradients[-1]["gradient_dot"].total


RECORD = Estimator(
    name="gradient_dot",
    label="gradient product",
    note="inner product of the gradients, no curvature",
    cost="an influence stage",
    order=4,
    score=score,
    predict=predict,
    passes=once,
    checkpoints=checkpoints,
    positions=True,
    words=True,
)

"""The inner product of gradients at the final weights, each of length 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.config.estimator import Estimator, Numbers, once

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from attribution.exact.scores import Scores
    from attribution.query.directions import Directions
    from indexer.evaluate.scoring.given import Given
    from indexer.size.fitted import Fitted
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


def checkpoints(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    from indexer.tracing.sums.products import final_weights

    return final_weights(fitted.member)


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    """The length of a query is that of its whole gradient, so that layers add up to the cosine."""
    from attribution.exact.cosine import gradient_cosine
    from indexer.tracing.sums.products import sum_of_products

    def finish(found: "Scores", directions: "Directions", documents: NDArray[np.int64]) -> Numbers:
        return gradient_cosine(found, directions, of.norms.grad_norm[documents], of.member.n_train)

    return sum_of_products(of, finish)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    """For one query, dividing by the document's length ranks as the cosine does."""
    yield "gradient_cosine", given.divided(given.gradients[-1]["gradient_dot"].total, "grad_norm")


RECORD = Estimator(
    name="gradient_cosine",
    label="gradient cosine",
    note="inner product of the gradients, each of length 1",
    cost="an influence stage",
    order=5,
    score=score,
    predict=predict,
    passes=once,
    checkpoints=checkpoints,
    nats=False,
)

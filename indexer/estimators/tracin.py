"""TracInCP: gradient products at the kept checkpoints, times the learning rates of every sight that led there."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.config.estimator import Estimator, Numbers, everywhere

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from indexer.evaluate.scoring.given import Given
    from indexer.size.fitted import Fitted
    from indexer.size.member import Member
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


def needs(member: "Member") -> None:
    """The learning rates that training wrote beside the weights."""
    from indexer.size.checkpoints import seen_rates

    seen_rates(member)


def checkpoints(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    """Without curvature; the model itself is the last."""
    from attribution.exact.checkpoints import tracin
    from indexer.size.checkpoints import at_checkpoint, seen_rates

    member = fitted.member
    early = [at_checkpoint(member, path) for path in member.entry.checkpoints]
    return tracin([*(each.tracked for each in early), member.tracked], seen_rates(member), member.n_train)


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    from indexer.tracing.sums.products import sum_of_products

    return sum_of_products(of)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    from indexer.size.checkpoints import seen_rates

    if given.subject.early:
        n, rates = given.member.n_train, seen_rates(given.member)  # N, by which the products are divided
        dots = [n * rate * each["gradient_dot"].total for rate, each in zip(rates, given.gradients, strict=True)]
        yield "tracin", np.sum(dots, axis=0, dtype=np.float32)


RECORD = Estimator(
    name="tracin",
    label="TracIn",
    note="gradient products at the checkpoints, times the learning rates of every sight that led there",
    cost="an influence stage for each checkpoint",
    order=3,
    score=score,
    predict=predict,
    passes=everywhere,
    needs=needs,
    checkpoints=checkpoints,
    positions=True,
    words=True,
    by_share=False,
)

"""SOURCE: influence that follows the training from checkpoint to checkpoint, with what later steps forget."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config.estimator import Estimator, Numbers, at_checkpoints, everywhere, trained_once

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from indexer.evaluate.scoring.given import Given
    from indexer.size.fitted import Fitted
    from indexer.size.member import Member
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring

NAME = "source"


def applies(member: "Member") -> bool:
    """Where checkpoints were kept, and it is known which steps led to each of them."""
    from indexer.size.checkpoints import is_followed

    return trained_once(member) and bool(member.entry.checkpoints) and is_followed(member)


def checkpoints(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    """Each with curvature of its own, which is fitted if need be, and what later ones leave; the model is the last."""
    from attribution.exact.checkpoints import followed
    from indexer.size.checkpoints import fits, steps

    member = fitted.member
    members = [(each.member.tracked, each.factors) for each in fits(folder, fitted)]
    return followed(members, steps(member), member.config.scores.damping)


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    from indexer.tracing.sums.products import sum_of_products

    return sum_of_products(of)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    if not applies(given.member):
        return
    from indexer.evaluate.scoring.followed import followed_scores

    found = followed_scores(given.folder, given.what, given.subject, given.asked, given.tick)
    yield NAME, found.total
    yield from given.parts(NAME, found)


RECORD = Estimator(
    name=NAME,
    label="SOURCE",
    note="the training followed segment by segment: learning rates, curvature, and what later steps forget",
    cost="a fit and an influence stage for each checkpoint",
    order=8,
    score=score,
    predict=predict,
    passes=everywhere,
    fits=at_checkpoints,
    applies=applies,
    checkpoints=checkpoints,
    positions=True,
    words=True,
)

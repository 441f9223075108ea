"""EK-FAC averaged over the kept checkpoints and the final weights (`checkpoint_weights`, `linear_weight`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.config.estimator import Estimator, Numbers, at_checkpoints, everywhere, trained_once

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from indexer.config.config import ScoreSettings
    from indexer.evaluate.scoring.given import Evaluated, Given
    from indexer.evaluate.scoring.gradient_scores import Scored
    from indexer.size.fitted import Fitted
    from indexer.size.member import Member
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring

NAME = "ekfac_checkpoints"


def applies(member: "Member") -> bool:
    """Without checkpoints their mean is the model itself."""
    return trained_once(member) and bool(member.entry.checkpoints)


def checkpoints(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    """Each with curvature of its own, which is fitted if need be; the model itself is the last."""
    from attribution.exact.checkpoints import averaged
    from indexer.size.checkpoints import fits

    scores = fitted.member.config.scores
    members = [(each.member.tracked, each.preconditioner) for each in fits(folder, fitted)]
    return averaged(members, weights(scores, len(members)), scores.linear_weight)


def weights(scores: "ScoreSettings", n: int) -> "Sequence[float] | None":
    """What each of n weighs, the model itself the last; all the same (None) where the configuration's are of another
    number: a model that an evaluation trains keeps checkpoints of its own."""
    return scores.checkpoint_weights if len(scores.checkpoint_weights) == n else None


def linear(scores: "ScoreSettings") -> float:
    """Beside the embedding."""
    return scores.linear_weight


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    from indexer.tracing.sums.products import sum_of_products

    return sum_of_products(of)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    """Normalised, as a build stores it, by the final weights."""
    if not given.subject.early:
        return
    for name in given.curvatures("ekfac"):
        method = name.replace("ekfac", NAME)
        mean = over_checkpoints(given.subject, [each[name] for each in given.gradients])
        yield method, mean.total
        yield from given.parts(method, mean)
        yield from given.normalised(method, mean)


def over_checkpoints(subject: "Evaluated", found: "Sequence[Scored]") -> "Scored":
    """The mean that the configuration wants of the scores at each checkpoint and at the final weights.

    A block's score is linear in the inverse of its curvature, so linear layers are weighted after they are scored.
    """
    from attribution.exact.checkpoints import averaged

    scores = subject.fitted.member.config.scores
    fits = [*subject.early, subject.fitted]
    members = [(each.member.tracked, each.preconditioner) for each in fits]
    shares = averaged(members, weights(scores, len(members)))
    of_kind = np.array([1.0 if kind == "embedding" else scores.linear_weight for kind in found[0].kinds])
    values = sum(share.weight * each.values for share, each in zip(shares, found, strict=True)) * of_kind
    return replace(found[0], values=np.asarray(values, dtype=np.float32))


RECORD = Estimator(
    name=NAME,
    label="EK-FAC, mean over checkpoints",
    note="the mean of EK-FAC over a size's `checkpoints`; sizes without checkpoints leave it out",
    cost="a fit and an influence stage for each checkpoint",
    order=2,
    score=score,
    predict=predict,
    passes=everywhere,
    fits=at_checkpoints,
    applies=applies,
    checkpoints=checkpoints,
    linear=linear,
    positions=True,
    words=True,
    normalised=True,
)

"""Estimators that use several checkpoints of one training run.

EK-FAC averaged: Σ_c w_c I_c(z → f), each checkpoint with its own weights and factors. Early checkpoints still have
the gradients of what was learned since, which vanish from the last one.
TracInCP (Pruthi et al. 2020, arXiv 2002.08484): Σ_c η_c v_c ∇f(θ_c)·∇L(z, θ_c), no curvature; η the learning rates, v
how often each document was seen since the checkpoint before. (Their checkpoints lie at equal distances, so that v is
left out.) It is the change that these sights made, itself: nothing is divided by the number of documents.
SOURCE (`attribution/exact/segments.py`): ∇f at the last weights for the documents at every checkpoint.
All keep the sign of `influence.py`: positive pushes towards f.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.curvature.blocks import Preconditioner, no_curvature, weighted
from attribution.curvature.factors import Factors
from attribution.errors import BadInput
from attribution.exact.segments import Segment, Steps, following
from attribution.model.tracked import Tracked


@dataclass(frozen=True)
class Checkpoint:
    """One member of the sum."""

    tracked: Tracked
    preconditioner: Preconditioner
    weight: float
    last: Tracked | None = None  # where ∇f is taken; None: at the same weights
    steps: Steps | None = None  # that ended there, where they matter

    @property
    def asked(self) -> Tracked:
        return self.last or self.tracked


def averaged(
    members: Sequence[tuple[Tracked, Preconditioner]], weights: Sequence[float] | None = None, linear: float = 1.0
) -> list[Checkpoint]:
    """Checkpoints whose weights are scaled to sum to one (default: equal), so that the result stays in nats.

    linear: what the linear layers count beside the embedding (`preconditioner.weighted`).
    """
    shares = [1.0] * len(members) if weights is None else list(weights)
    if len(shares) != len(members) or not members or not all(w >= 0 for w in shares) or sum(shares) <= 0:
        raise BadInput(f"expected one weight of at least 0 for each of {len(members)} checkpoints, found {shares}")
    return [
        Checkpoint(tracked, weighted(preconditioner, tracked, linear), w / sum(shares))
        for (tracked, preconditioner), w in zip(members, shares, strict=True)
    ]


def tracin(members: Sequence[Tracked], rates: Sequence[float], n_train: int) -> list[Checkpoint]:
    """Checkpoints weighted with the learning rates of all sights of a document that led from one to the next.

    rates: Σ η over these sights, for each checkpoint   n_train: N, by which every product is divided and TracIn is not
    """
    if len(rates) != len(members) or not members:
        raise BadInput(f"expected a learning rate for each of {len(members)} checkpoints, found {len(rates)}")
    return [Checkpoint(of, no_curvature(of), n_train * rate) for of, rate in zip(members, rates, strict=True)]


def followed(members: Sequence[tuple[Tracked, Factors]], steps: Sequence[Steps], damping: float) -> list[Checkpoint]:
    """Each checkpoint for the segment of the training that ended there, the last one the model itself.

    damping: see `segments.following`.
    """
    if len(steps) != len(members) or not members:
        raise BadInput(f"expected the steps that led to each of {len(members)} checkpoints, found {len(steps)}")
    segments = [Segment(factors, each) for (_, factors), each in zip(members, steps, strict=True)]
    last = members[-1][0]
    solves = following(segments, damping)
    each = zip(members, solves, steps, strict=True)
    return [Checkpoint(of, solve, 1.0, last, done) for (of, _), solve, done in each]

"""Estimators that use several checkpoints of one training run.

EK-FAC averaged: Σ_c w_c I_c(z → f), each checkpoint with its own weights and factors. Early checkpoints still have
the gradients of what was learned since, which vanish from the last one.
TracInCP (Pruthi et al. 2020, arXiv 2002.08484): Σ_c η_c ∇f(θ_c)·∇L(z, θ_c), no curvature, η the learning rates.
Both keep the sign of `influence.py`: positive pushes towards f.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.curvature.blocks import Preconditioner, no_curvature, weighted
from attribution.errors import BadInput
from attribution.model.tracked import Tracked


@dataclass(frozen=True)
class Checkpoint:
    """One member of the sum."""

    tracked: Tracked
    preconditioner: Preconditioner
    weight: float


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


def tracin(members: Sequence[Tracked], learning_rates: Sequence[float]) -> list[Checkpoint]:
    """Checkpoints weighted with the learning rates that led from one to the next."""
    if len(learning_rates) != len(members) or not members:
        raise BadInput(f"expected a learning rate for each of {len(members)} checkpoints, found {len(learning_rates)}")
    return [Checkpoint(of, no_curvature(of), rate) for of, rate in zip(members, learning_rates, strict=True)]

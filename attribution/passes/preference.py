"""A preference pair as DPO learns it: one loss of both answers, and what it weighs the token losses of each with.

    Δ = [log p(c) − log p_ref(c)] − [log p(r) − log p_ref(r)]
    L = −log σ(βΔ)        ∇L = w (∇NLL(c) − ∇NLL(r)),  w = β σ(−βΔ)         Rafailov et al. 2023, arXiv 2305.18290

c, r: the chosen and the rejected answer, each read after the prompt; NLL: the sum of its token losses, nats. Where Δ is
known, w is a number: all that is made of the gradients of token losses is made of a pair's as well. For the curvature
the preference is drawn, y = 1 with probability σ(βΔ), one for both answers:
    β (y − σ(βΔ)) (∇NLL(c) − ∇NLL(r)), of mean square  β² σ(βΔ) σ(−βΔ) ∇Δ ∇Δᵀ: the Gauss–Newton matrix of a logit βΔ
"""

from dataclasses import dataclass
from math import exp, log1p


@dataclass(frozen=True)
class Preference:
    """What one pair's loss is at some weights."""

    beta: float  # β
    margin: float  # Δ, nats

    @property
    def probability(self) -> float:
        """σ(βΔ): how surely the model tells the chosen answer from the rejected."""
        return _sigmoid(self.beta * self.margin)

    @property
    def loss(self) -> float:
        """L, nats."""
        x = self.beta * self.margin
        return log1p(exp(-abs(x))) + max(-x, 0.0)

    def weight(self, preferred: bool = True) -> float:
        """β (y − σ(βΔ)): w as it is, or with the preference turned round."""
        x = self.beta * self.margin
        return self.beta * _sigmoid(-x) if preferred else -self.beta * _sigmoid(x)


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))

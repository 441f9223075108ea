"""SOURCE (Bae et al. 2024, arXiv 2405.12186): solves that follow the training, cut into segments at its checkpoints.

Within a segment curvature and gradients are taken as those of its checkpoint. A step of rate η moves the weights by
−η A ∇L, A the optimiser's own scale; a change that was made before is taken back at the same pace, by every step alike:

    I(z → f) = −(1/N) Σ_s ∇f(θ_end)ᵀ S_last … S_{s+1} R_s ∇L(z, θ_s)
    S = exp(−σ)      R = pace · (1 − exp(−σ)) / σ      σ = Λ · pace + decay · Σ η,  pace = Σ η · A of the segment

for each direction of the curvature's eigenbasis: S is what a segment leaves of what was learned before it, R what it
learns of a document itself. Where σ is small, R is the pace: gradients times the way that was gone (TracIn). Where it
is large, R is 1/Λ and S is 0: the influence function at the last weights, and what was before is forgotten. (The decay
of AdamW is apart from A, as a curvature of decay / A would be.)

The loss of a step is the mean over the tokens of a batch. With t tokens in a document, of which a batch has B:

    SGD     A = 1/t
    Adam    A = 1/(t √v),  v the mean square of a batch's gradient, √v = √(Λ/B) / t, so A = √(B / (Λ + λ))

for gradients whose noise is larger than their mean, which is so soon after the start, with Adam's scale taken in the
eigenbasis instead of number by number. λ, the damping, is for directions that no document of the fit showed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, DiagonalBlock, EigenBlock, Preconditioner, damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.errors import BadInput

FORGOTTEN = 60.0  # σ from which on a direction counts as forgotten: exp(60) is still a float32
NOTHING = 1e-30  # pace of a segment without steps: its inverse is still a float32
ADAM, SGD = "adam", "sgd"


@dataclass(frozen=True)
class Steps:
    """What was done in a segment."""

    rate: float  # Σ η over its steps
    batch: int  # documents of a step
    tokens: float  # of a document that are learned, on average
    optimiser: str = ADAM
    decay: float = 0.0  # of the weights, as AdamW has it


@dataclass(frozen=True)
class Segment:
    """A stretch of the training, and the curvature at the checkpoint that stands for it."""

    factors: Factors
    steps: Steps


def following(segments: Sequence[Segment], damping: float = 0.1) -> list[Preconditioner]:
    """For each segment, the first one first, what a query of the last weights is solved with for documents at the
    segment's checkpoint; the sum over the segments is the influence.

    damping: λ of Adam's scale, times the mean of Λ of each block.
    Raises BadInput where the segments have not the same layers, or an optimiser is not known.
    """
    if not segments:
        raise BadInput("expected a segment of the training at least, found none")
    if any(each.factors.names != segments[0].factors.names for each in segments):
        raise BadInput("expected the same layers in every segment, found others; track the same layers of all")
    found: list[Preconditioner] = []
    left: tuple[Block, ...] | None = None  # of ∇f, after all later segments
    for segment in reversed(segments):
        learned, forgotten = _blocks(segment, damping)
        found.insert(0, Preconditioner(_after(left, learned)))
        left = _after(left, forgotten)
    return found


def _after(first: tuple[Block, ...] | None, second: Sequence[Block]) -> tuple[Block, ...]:
    if first is None:
        return tuple(second)
    return tuple(ChainBlock(one, other, 1.0) for one, other in zip(first, second, strict=True))


def _blocks(segment: Segment, damping: float) -> tuple[list[Block], list[Block]]:
    """R and S of every block, each as the inverse of a curvature."""
    learned: list[Block] = []
    forgotten: list[Block] = []
    for block in damp(segment.factors, damping).blocks:
        if isinstance(block, EigenBlock):
            basis = block.basis
            R, S = responses(basis.lam, segment.steps, block.damping)
            learned.append(EigenBlock(Eigenbasis(basis.Q_A, basis.Q_S, 1 / R), 0.0))
            forgotten.append(EigenBlock(Eigenbasis(basis.Q_A, basis.Q_S, 1 / S), 0.0))
        elif isinstance(block, DiagonalBlock):
            R, S = responses(block.fisher, segment.steps, block.damping)
            learned.append(DiagonalBlock(1 / R, 0.0))
            forgotten.append(DiagonalBlock(1 / S, 0.0))
    return learned, forgotten


def responses(lam: Tensor, steps: Steps, damping: float) -> tuple[Tensor, Tensor]:
    """R and S of each direction.

    lam: Λ of a block, of the mean document loss; any shape   damping: λ, same unit
    """
    if steps.optimiser == SGD:
        pace = torch.full_like(lam, steps.rate / steps.tokens)
    elif steps.optimiser == ADAM:
        pace = steps.rate * (steps.batch / (lam + damping)).sqrt()
    else:
        raise BadInput(f"expected {ADAM} or {SGD} as the optimiser, found {steps.optimiser}")
    pace = pace.clamp(min=NOTHING)
    sigma = lam * pace + steps.decay * steps.rate
    shrunk = torch.where(sigma > torch.finfo(lam.dtype).tiny, -torch.expm1(-sigma) / sigma, 1.0)
    return pace * shrunk, torch.exp(-sigma.clamp(max=FORGOTTEN))

"""Influence across training stages: an answer of the last model traced to documents of every stage before it.

If stage s stays near its start, θ_s = arg min L_s(θ) + (α_s/2) ‖θ − θ_{s−1}‖² (arXiv 2505.05017), it moves with it, and
the chain rule gives a recursion of solves from the last stage S to the first:

    P_S = (G_S + α_S I)⁻¹ ∇f(θ_S)
    P_s = α_{s+1} (G_s + α_s I)⁻¹ P_{s+1}          λ stands for α in the first stage
    I(z) = −(1/N_s) P_sᵀ ∇L(z, θ_s)                for a document z of stage s

All solves are on the side of the query. The α, which the paper leaves out of its formula, keeps the stages on one
scale: for α → ∞ a model is the one that it was trained from, and influence is that of the earlier one. Like λ, α is a
share of the mean eigenvalue of each block: of the stage's own curvature, or, of a stage that learned preferences, of
that before it. What holds DPO near its reference is β KL(π ‖ π_ref) (Rafailov et al. 2023, eq. 3), whose curvature is
that of the reference; the curvature of its own loss goes to zero with every pair that is told apart for sure, so that
a share of it would hold nothing.
"""

from collections.abc import Collection, Sequence

from attribution.curvature.blocks import ChainBlock, DiagonalBlock, EigenBlock, Preconditioner, damp
from attribution.curvature.factors import Factors
from attribution.errors import BadInput


def across_stages(
    stages: Sequence[Factors], alpha: float = 0.1, damping: float = 0.1, preferences: Collection[int] = ()
) -> list[Preconditioner]:
    """What a query of the last model is solved with for the documents of each stage.

    stages: their factors, first stage first; the result has the same order. preferences: the stages that learned some.
    Raises BadInput where the stages have not the same layers.
    """
    inverses = [
        damp(factors, alpha if s else damping, of=held_by(stages[: s + 1], preferences))
        for s, factors in enumerate(stages)
    ]
    solves = [inverses[-1]]
    for far, near in zip(reversed(inverses[:-1]), reversed(inverses[1:]), strict=True):
        blocks = zip(solves[0].blocks, far.blocks, near.blocks, strict=True)
        solves.insert(0, Preconditioner(tuple(ChainBlock(p, own, _pull(after)) for p, own, after in blocks)))
    return solves


def held_by(stages: Sequence[Factors], preferences: Collection[int]) -> Factors | None:
    """The curvature that α of the last of these stages is a share of: of one that learned preferences that of the
    nearest before it that did not; None for its own. Raises BadInput where the stages have not the same layers.
    """
    for one, other in zip(stages, stages[1:], strict=False):
        if one.names != other.names:
            raise BadInput(
                f"expected the layers of the parent in the fine-tuned model, found {len(other.names)} layers "
                f"against {len(one.names)}; track the same layers of both"
            )
    before = [s for s in range(len(stages)) if s not in preferences]
    return stages[before[-1]] if len(stages) - 1 in preferences and before else None


def _pull(block: object) -> float:
    """α of a block of the stage after."""
    if not isinstance(block, EigenBlock | DiagonalBlock):
        raise BadInput("expected fitted curvature of the fine-tuned model, found none; fit its factors")
    return block.damping

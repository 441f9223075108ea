"""Influence across training stages: an answer of the fine-tuned model traced to documents of pre-training.

If fine-tuning stays near its start, θ_ft = arg min L_ft(θ) + (α/2) ‖θ − θ_pt‖² (arXiv 2505.05017), it moves with it:

    I(z_pt) = −(1/N_pt) α ∇f(θ_ft)ᵀ (G_ft + αI)⁻¹ (G_pt + λI)⁻¹ ∇L(z_pt, θ_pt)
    I(z_ft) = −(1/N_ft)   ∇f(θ_ft)ᵀ (G_ft + αI)⁻¹ ∇L(z_ft, θ_ft)

Both solves are on the side of the query. The α, which the paper leaves out of its formula, keeps the two on one scale:
for α → ∞ the fine-tuned model is the pre-trained one, and I(z_pt) its ordinary influence. Like λ, α is a share of the
mean eigenvalue of each block.
"""

from attribution.curvature.blocks import ChainBlock, DiagonalBlock, EigenBlock, Preconditioner, damp
from attribution.curvature.factors import Factors
from attribution.errors import BadInput


def across_stages(finetuned: Factors, pretrained: Factors, alpha: float = 0.1, damping: float = 0.1) -> Preconditioner:
    """α (G_pt + λI)⁻¹ (G_ft + αI)⁻¹, for queries of the fine-tuned model and documents of the pre-trained one.

    Raises BadInput when the two have not the same layers.
    """
    if finetuned.names != pretrained.names:
        raise BadInput(
            f"expected the layers of the parent in the fine-tuned model, found {len(finetuned.names)} layers "
            f"against {len(pretrained.names)}; track the same layers of both"
        )
    near = damp(finetuned, alpha)
    far = damp(pretrained, damping)
    blocks = []
    for first, second in zip(near.blocks, far.blocks, strict=True):
        if not isinstance(first, EigenBlock | DiagonalBlock):
            raise BadInput("expected fitted curvature of the fine-tuned model, found none; fit its factors")
        blocks.append(ChainBlock(first, second, scale=first.damping))
    return Preconditioner(tuple(blocks))

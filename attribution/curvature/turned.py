"""The tokens of a document pass, turned into the eigenbasis of each layer: `Q_Sᵀ δ_t` and `Q_Aᵀ a_t`.

There the gradient is `W = Σ_t (Q_Sᵀ δ_t)(Q_Aᵀ a_t)ᵀ = Q_Sᵀ ∇L Q_A`; turning a few tokens is cheaper than turning it.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor

from attribution.curvature.blocks import EigenBlock, same_inputs
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured


def turned(tracked: Tracked, captured: Captured, blocks: Sequence[EigenBlock]) -> Iterator[tuple[Tensor, Tensor]]:
    """For each linear layer the output gradients [B, T, out] and the inputs [B, T, in].

    Layers that read the same (query, key and value do) share one product.
    """
    inputs = captured.hidden.new_empty(0)
    for n, (block, same) in enumerate(zip(blocks, same_inputs(tracked, blocks), strict=True)):
        if not same:
            inputs = captured.inputs[n] @ block.basis.Q_A
        yield captured.deltas[n] @ block.basis.Q_S, inputs

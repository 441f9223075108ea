"""The tokens of a document pass, turned into the eigenbasis of each layer: `Q_Sᵀ δ_t` and `Q_Aᵀ a_t`.

There the gradient is `W = Σ_t (Q_Sᵀ δ_t)(Q_Aᵀ a_t)ᵀ = Q_Sᵀ ∇L Q_A`; turning a few tokens is cheaper than turning it.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor

from attribution.curvature.blocks import EigenBlock
from attribution.passes.capture import Captured


def turned(captured: Captured, blocks: Sequence[EigenBlock], shared: Sequence[bool]) -> Iterator[tuple[Tensor, Tensor]]:
    """For each linear layer the output gradients [B, T, out] and the inputs [B, T, in].

    shared: `same_inputs` of the blocks; layers that read the same (query, key and value do) share one product.
    """
    inputs = captured.hidden.new_empty(0)
    for n, (block, same) in enumerate(zip(blocks, shared, strict=True)):
        if not same:
            inputs = captured.inputs[n] @ block.basis.Q_A
        yield captured.deltas[n] @ block.basis.Q_S, inputs

"""The tokens of a document pass, turned into the eigenbasis of each layer: `Q_Sᵀ δ_t` and `Q_Aᵀ a_t`.

There the gradient is `W = Σ_t (Q_Sᵀ δ_t)(Q_Aᵀ a_t)ᵀ = Q_Sᵀ ∇L Q_A`; turning a few tokens is cheaper than turning it.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock
from attribution.passes.capture import Captured


def turned(captured: Captured, blocks: Sequence[EigenBlock]) -> Iterator[tuple[Tensor, Tensor]]:
    """For each linear layer the output gradients [B, T, out] and the inputs [B, T, in].

    Layers that read the same (query, key and value do) share one product.
    """
    before: Tensor | None = None
    for n, block in enumerate(blocks):
        if before is None or not _reads_the_same(captured, blocks, n):
            before = captured.inputs[n] @ block.basis.Q_A
        yield captured.deltas[n] @ block.basis.Q_S, before


def _reads_the_same(captured: Captured, blocks: Sequence[EigenBlock], n: int) -> bool:
    one, other = captured.inputs[n - 1], captured.inputs[n]
    return one.data_ptr() == other.data_ptr() and torch.equal(blocks[n - 1].basis.Q_A, blocks[n].basis.Q_A)

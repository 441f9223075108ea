"""Gradient norms without forming a gradient, where no curvature is at hand:

    ‖Σ_t δ_t a_tᵀ‖² = Σ_{t,t'} (δ_t·δ_t') (a_t·a_t')

A tied embedding is two such sums and twice their inner product `Σ_{t,s} δlogits_t[x_s] (h_t·δ_s)`.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture


def gradient_norms(
    tracked: Tracked, documents: Sequence[Row], *, tick: Callable[[int], None] | None = None
) -> NDArray[np.float32]:
    """‖∇L‖ over all tracked parameters  # [D]; not finite where the gradient is not"""
    norms = np.zeros(len(documents), dtype=np.float32)
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        squares = squared_norms(tracked, capture(tracked, batch)).sum(dim=1)
        norms[list(batch.members)] = squares.clamp(min=0).sqrt().cpu().numpy()
        if tick is not None:
            tick(len(batch.members))
    return norms


def squared_norms(tracked: Tracked, captured: Captured) -> Tensor:
    """‖∇L‖² by layer of the documents of one pass  # [B, L]"""
    squares = [outer_squared(delta, a) for delta, a in zip(captured.deltas, captured.inputs, strict=True)]
    if tracked.embedding:
        ids = captured.batch.ids
        everything = torch.arange(tracked.embedding[-1].n_out, device=tracked.device)
        logit_deltas = captured.padded_logit_deltas(everything)  # [B, T, V]
        head = outer_squared(logit_deltas, captured.hidden)
        looked_up = tracked.embedding_scale * captured.embedded_deltas  # [B, T, H]
        same = (ids[:, :, None] == ids[:, None]).to(tracked.dtype)  # [B, T, T]
        embedding = (same * (looked_up @ looked_up.transpose(1, 2))).sum(dim=(1, 2))
        if tracked.tied:
            at = ids[:, None].expand(-1, ids.shape[1], -1)  # [B, T, T]: entry [t, s] is x_s
            both = logit_deltas.gather(2, at) * (captured.hidden @ looked_up.transpose(1, 2))
            squares.append(head + embedding + 2 * both.sum(dim=(1, 2)))
        else:
            squares += [embedding, head]
    return torch.stack(squares, dim=1)


def outer_squared(deltas: Tensor, inputs: Tensor) -> Tensor:
    """‖Σ_t δ_t a_tᵀ‖²    deltas: [B, T, out]   inputs: [B, T, in]   -> [B]"""
    return ((deltas @ deltas.transpose(1, 2)) * (inputs @ inputs.transpose(1, 2))).sum(dim=(1, 2))

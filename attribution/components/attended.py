"""What each head reads where a token is decided: its attention weights from there over all before it.

What stands before the first of these tokens is read by the fused kernel and kept; only the rows that are asked for are
made of plain products, so that no weights of tokens × tokens are ever held.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.components.units import NotSplit
from attribution.errors import BadInput
from attribution.loading.attention import plain_attention
from attribution.model.generate import cache_name
from attribution.model.tracked import Tracked


@torch.no_grad()
def attended(tracked: Tracked, ids: Sequence[int], first: int) -> NDArray[np.floating] | NotSplit:
    """Of every token of `ids[first:]`, over the S = len(ids) − 1 tokens that are read; 0 after its own place
    # [K, L, heads, S]

    ids: prompt and answer as the model read them. NotSplit for a model that does not tell its weights. Raises BadInput
    where no token is left to explain.
    """
    if not 1 <= first < len(ids):
        raise BadInput(f"expected tokens to explain after at least one other, found {first}:{len(ids)}; check the span")
    model, read = tracked.loaded.model, torch.tensor([tuple(ids)[:-1]], device=tracked.device)
    name = cache_name(tracked.loaded)
    if name is None:
        return NotSplit("it keeps no tokens that heads could read")
    cache = None
    if first > 1:
        cache = model.base_model(input_ids=read[:, : first - 1], use_cache=True)[name]
    with plain_attention(model):
        output = model.base_model(
            input_ids=read[:, first - 1 :], use_cache=True, output_attentions=True, **{name: cache}
        )
    found = getattr(output, "attentions", None)
    if not found or any(each is None for each in found):
        return NotSplit("its attention does not tell its weights")
    K, S = len(ids) - first, read.shape[1]
    out = np.zeros((K, len(found), found[0].shape[1], S))
    for depth, weights in enumerate(found):
        kept = min(S, weights.shape[-1])  # of a sliding window fewer
        out[:, depth, :, S - kept :] = weights[0, :, :, -kept:].transpose(0, 1).double().cpu().numpy()
    return out

"""How much more a model prefers the chosen answer of each pair than its reference does: Δ of `preference`."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.model.head import capped
from attribution.model.measurement import logp
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches

Tick = Callable[[int], None]


def margins(asked: Tracked, reference: Tracked, pairs: Sequence[Row], tick: Tick | None = None) -> NDArray[np.float64]:
    """Δ of every pair, nats  # [D]    pairs: rows of two windows, the chosen answer in the first"""
    by_model = [log_ratios(of, pairs, tick) for of in (asked, reference)]
    found: NDArray[np.float64] = by_model[0] - by_model[1]
    return found


def log_ratios(tracked: Tracked, pairs: Sequence[Row], tick: Tick | None = None) -> NDArray[np.float64]:
    """log p(c) − log p(r) of what is learned in each window, nats; a forward pass  # [D]"""
    found = np.zeros(len(pairs))
    for batch in batches(pairs, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        with torch.inference_mode():
            hidden = tracked.loaded.model.base_model(input_ids=batch.rows, use_cache=False).last_hidden_state
            raw = tracked.raw_logits(batch.joined(hidden)[batch.is_target])
            of_token = logp(capped(raw, tracked.softcap), batch.labels).double()  # [n]
            document, place = batch.is_target.nonzero(as_tuple=True)
            signed = torch.where(place < batch.width, of_token, -of_token)
            of_pair = signed.new_zeros(len(batch.members)).index_add_(0, document, signed)
        found[list(batch.members)] = of_pair.cpu().numpy()
        if tick is not None:
            tick(len(batch.members))
    return found

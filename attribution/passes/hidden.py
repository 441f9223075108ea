"""Hidden states of documents and of what was read before a token; their cosine is a baseline of every evaluation.

hidden cosine     cos(mean hidden state of what was read before the token, mean hidden state of the document)
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, batches

Numbers = NDArray[np.float32]


def hidden_states(tracked: Tracked, documents: Sequence[Row], *, tick: Callable[[int], None] | None = None) -> Numbers:
    """Mean last hidden state of each document, length 1  # [D, H]"""
    out = np.zeros((len(documents), tracked.width), dtype=np.float32)
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        with torch.inference_mode():
            hidden = tracked.loaded.model.base_model(input_ids=batch.rows, use_cache=False).last_hidden_state.float()
        out[list(batch.members)] = mean_hidden(batch.joined(hidden), batch).cpu().numpy()
        if tick is not None:
            tick(len(batch.members))
    return out


def mean_hidden(hidden: Tensor, batch: Batch) -> Tensor:
    """Mean over the tokens of each document, length 1.    hidden: [B, T, H] -> [B, H]"""
    return torch.nn.functional.normalize((hidden * batch.is_token[..., None]).sum(dim=1), dim=-1)


def query_hidden_states(tracked: Tracked, ids: Sequence[int], first: int) -> Numbers:
    """The same for what the model had read before each token of `ids[first:]`, length 1  # [K, H]"""
    row = torch.tensor([tuple(ids)[:-1]], device=tracked.device)
    with torch.inference_mode():
        hidden = tracked.loaded.model.base_model(input_ids=row, use_cache=False).last_hidden_state[0].float()
    return torch.nn.functional.normalize(hidden.cumsum(dim=0)[first - 1 :], dim=-1).cpu().numpy()


def hidden_cosine(queries: Numbers, documents: Numbers) -> Numbers:
    """queries: [K, H]   documents: [D, H]   -> [K, D]. In torch's threads: numpy's would wait for them."""
    found: Numbers = (torch.from_numpy(queries) @ torch.from_numpy(documents).T).numpy()
    return found

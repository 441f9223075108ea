"""Estimators without curvature: every evaluation compares with them.

gradient dot      −(1/N) ∇f·∇L(z)
gradient cosine   −∇f·∇L(z) / (‖∇f‖ ‖∇L(z)‖)
hidden cosine     cos(mean hidden state of what was read before the token, mean hidden state of the document)
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.curvature.blocks import no_curvature
from attribution.exact.directions import Directions
from attribution.exact.query import query_directions
from attribution.exact.scores import Scores
from attribution.influence import influence
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Document, batches

Numbers = NDArray[np.float32]


def gradient_queries(tracked: Tracked, ids: Sequence[int], first: int, measurement: str = "logp") -> Directions:
    """∇f itself as the direction; `scores.score_documents` with it is the gradient dot, `energy` is ‖∇f‖²."""
    return query_directions(tracked, no_curvature(tracked), ids, first, measurement=measurement)


def gradient_cosine(dot: Scores, directions: Directions, grad_norm: Numbers, n_train: int) -> Numbers:
    """From gradient-dot scores [Q, D, L] and the documents' gradient norms [D]; by layer  # [Q, D, L]"""
    size = directions.energy.sqrt().cpu().numpy()[:, None, None] * grad_norm[None, :, None]
    unit = np.divide(dot.values, size, out=np.zeros_like(dot.values), where=size > 0)
    return (unit / abs(influence(1.0, n_train))).astype(np.float32)


def hidden_states(
    tracked: Tracked, documents: Sequence[Document], *, tick: Callable[[int], None] | None = None
) -> Numbers:
    """Mean last hidden state of each document, length 1  # [D, H]"""
    out = np.zeros((len(documents), tracked.loaded.model.config.hidden_size), dtype=np.float32)
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        with torch.inference_mode():
            hidden = tracked.loaded.model.base_model(input_ids=batch.ids, use_cache=False).last_hidden_state.float()
        out[list(batch.members)] = mean_hidden(hidden, batch).cpu().numpy()
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
    """queries: [K, H]   documents: [D, H]   -> [K, D]"""
    return queries @ documents.T

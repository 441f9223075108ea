"""Exact influence of documents on queries, by layer, at full rank: one pass over the documents for all queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.batches import Document, batches
from attribution.capture import Captured, capture
from attribution.directions import Directions, RowBlock
from attribution.embedding import block_gradients
from attribution.influence import influence
from attribution.products import CACHED, Pairs, add_layer_products, add_products, runs
from attribution.tracked import Tracked


@dataclass(frozen=True)
class Scores:
    """Influence of D documents on Q queries; NaN where a pair was not computed or the document was skipped."""

    values: NDArray[np.float32]  # [Q, D, L] nats; the sum over L is the influence
    skipped: tuple[int, ...]  # documents whose gradient is not finite


def score_documents(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Document],
    n_train: int,
    *,
    wanted: NDArray[np.bool_] | None = None,
    tick: Callable[[int], None] | None = None,
) -> Scores:
    """Every document against every query, or against those that it is `wanted` for ([Q, D]).

    `n_train`: N of the corpus; `tick(n)` after n documents.

    Raises BadInput for a document that is empty or longer than the context.
    """
    everything = np.ones((directions.n, len(documents)), dtype=bool) if wanted is None else wanted
    values = np.full((directions.n, len(documents), len(tracked.layers)), np.nan, dtype=np.float32)
    skipped: list[int] = []
    needed: NDArray[np.int64] = np.flatnonzero(everything.any(axis=0))
    for batch in batches([documents[int(i)] for i in needed], tracked.loaded.context, tracked.device):
        members = needed[list(batch.members)]
        pairs = runs(everything[:, members], tracked.device)
        products = batch_products(tracked, directions, capture(tracked, batch), pairs)  # [Q, B, L]
        bad = ~torch.isfinite(products).all(dim=2).all(dim=0)
        skipped += members[bad.cpu().numpy()].tolist()
        for queries, of in pairs:
            columns = members[of.cpu().numpy()]
            values[queries, columns] = influence(products[queries, of], n_train).cpu().numpy()
        if tick is not None:
            tick(len(members))
    values[~everything] = np.nan  # of a pair that came along in a wanted product
    values[:, skipped] = np.nan
    return Scores(values, tuple(sorted(skipped)))


def batch_products(tracked: Tracked, directions: Directions, captured: Captured, pairs: Pairs) -> Tensor:
    """⟨P_q, ∇L(z)⟩ by layer, of the documents of one pass  # [Q, B, L]; zero where a pair is not wanted"""
    out = tracked.zeros(len(tracked.layers), directions.n, len(captured.batch.members))
    for layer, P, deltas, inputs in zip(out, directions.linear, captured.deltas, captured.inputs, strict=False):
        add_layer_products(layer, P, deltas, inputs, pairs)
    for i, block in enumerate(directions.embedding):
        _add_embedding_products(out[len(tracked.linear) + i], tracked, captured, i, block, pairs)
    return out.permute(1, 2, 0)


def _add_embedding_products(
    out: Tensor, tracked: Tracked, captured: Captured, i: int, block: RowBlock, pairs: Pairs
) -> None:
    n, n_rows, width = block.values.shape
    flat = block.values.reshape(n, n_rows * width)
    step = max(1, CACHED // (len(captured.batch.members) * width))
    for start in range(0, n_rows, step):
        gradients = block_gradients(tracked, captured, i, block.rows[start : start + step]).flatten(1)
        add_products(out, flat[:, start * width : start * width + gradients.shape[1]], gradients, pairs)

"""Exact influence of documents on queries, by layer, at full rank: one pass over the documents for all queries."""

from collections.abc import Callable, Iterator, Sequence
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

WAVE = 2**27  # bytes of captured passes that are scored together


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
    for passes in waves(tracked, [documents[int(i)] for i in needed]):
        members = needed[[i for captured in passes for i in captured.batch.members]]
        pairs = runs(everything[:, members], tracked.device)
        products = pass_products(tracked, directions, passes, pairs)  # [Q, B, L]
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


def waves(tracked: Tracked, documents: Sequence[Document]) -> Iterator[list[Captured]]:
    """Passes over all documents, as many at once as `WAVE` holds: the directions of all queries, which are much larger,
    are read from memory once for each wave, and a query meets more of the documents that it wants in one product."""
    wave: list[Captured] = []
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        wave.append(capture(tracked, batch))
        if sum(captured.nbytes for captured in wave) + wave[-1].nbytes > WAVE:
            yield wave
            wave = []
    if wave:
        yield wave


def pass_products(tracked: Tracked, directions: Directions, passes: Sequence[Captured], pairs: Pairs) -> Tensor:
    """⟨P_q, ∇L(z)⟩ by layer, of the documents of some passes  # [Q, B, L]; zero where a pair is not wanted"""
    n = sum(len(captured.batch.members) for captured in passes)
    out = tracked.zeros(len(tracked.layers), directions.n, n)
    for layer, P in enumerate(directions.linear):
        of = [(captured.deltas[layer], captured.inputs[layer]) for captured in passes]
        add_layer_products(out[layer], P, of, pairs)
    for i, block in enumerate(directions.embedding):
        _add_embedding_products(out[len(tracked.linear) + i], tracked, passes, i, block, pairs)
    return out.permute(1, 2, 0)


def _add_embedding_products(
    out: Tensor, tracked: Tracked, passes: Sequence[Captured], i: int, block: RowBlock, pairs: Pairs
) -> None:
    n, n_rows, width = block.values.shape
    flat = block.values.reshape(n, n_rows * width)
    step = max(1, CACHED // (out.shape[1] * width))
    for start in range(0, n_rows, step):
        rows = block.rows[start : start + step]
        gradients = torch.cat([block_gradients(tracked, captured, i, rows) for captured in passes]).flatten(1)
        add_products(out, flat[:, start * width : start * width + gradients.shape[1]], gradients, pairs)

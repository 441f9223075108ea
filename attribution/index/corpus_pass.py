"""The pass over the training documents that everything else stands on: one forward and backward of every document
leaves its norms, its hidden state and its compressed gradient.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.curvature.blocks import EigenBlock, Preconditioner, same_inputs
from attribution.curvature.turned import turned
from attribution.index.compress import DIRECTIONS, Compressed, Vectors, compress, in_order, vectors
from attribution.index.document_norms import DocumentNorms, gathered
from attribution.index.metric import metrics
from attribution.index.squares import embedding_squares, layer_squares
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture
from attribution.passes.hidden import mean_hidden


@dataclass(frozen=True)
class Passed:
    """What one pass leaves of D documents."""

    norms: DocumentNorms
    hidden: NDArray[np.float16]  # [D, H] mean last hidden state, length 1
    kept: list[Compressed]  # by layer; [] without a budget


def corpus_pass(
    tracked: Tracked,
    preconditioner: Preconditioner,
    documents: Sequence[Row],
    n_train: int,
    *,
    budget: int = 0,
    tick: Callable[[int], None] | None = None,
    watch: Callable[[Captured, Sequence[int]], None] | None = None,
) -> Passed:
    """One pass over the documents.

    n_train: N of the corpus.   budget: bytes of compressed gradient a document, 0 for none.   `tick(n)` after n
    documents.   watch: is shown every batch, with the numbers of its documents. Raises BadInput for a document that is
    empty or longer than the context.
    """
    eigen, diagonal = preconditioner.eigen(tracked), preconditioner.diagonal(tracked)
    scales = metrics(tracked, eigen, DIRECTIONS) if budget else []
    shared = same_inputs(tracked, eigen)
    table = np.full((len(documents), 4), np.nan, dtype=np.float64)
    hidden = np.zeros((len(documents), tracked.width), dtype=np.float16)
    kept: list[list[Compressed]] = []
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        captured, members = capture(tracked, batch), list(batch.members)
        if watch is not None:
            watch(captured, members)
        sums = captured.hidden.new_zeros(3, len(members), dtype=torch.float64)
        tokens = _adding(sums, tracked, captured, eigen, shared)
        linear = list(vectors(scales, tokens)) if budget else _nothing(tokens)
        for i, block in enumerate(diagonal):
            sums += embedding_squares(tracked, captured, i, block)
        table[members] = torch.cat([captured.loss[None], sums]).T.double().cpu().numpy()
        hidden[members] = mean_hidden(captured.hidden, captured.batch).nan_to_num(nan=0.0).cpu().numpy()
        if budget:
            finite = torch.isfinite(sums).all(dim=0)
            if not finite.all():  # a skipped document has no vectors
                linear = [replace(of, energy=torch.where(finite[:, None], of.energy, 0)) for of in linear]
                captured = _without(captured, finite)
            kept.append([of.renumbered(members) for of in compress(tracked, diagonal, linear, captured, budget)])
        if tick is not None:
            tick(len(members))
    return Passed(gathered(table, n_train), hidden, [in_order(of) for of in zip(*kept, strict=True)])


def _nothing(tokens: Iterator[tuple[Tensor, Tensor]]) -> list[Vectors]:
    """Only their squares are wanted."""
    deque(tokens, maxlen=0)
    return []


def _adding(
    sums: Tensor, tracked: Tracked, captured: Captured, blocks: Sequence[EigenBlock], shared: Sequence[bool]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Tokens of one layer after the other in its eigenbasis; its squares are added to the sums, [3, B]. Of a document
    whose squares are not finite there are zeros."""
    for block, (deltas, inputs) in zip(blocks, turned(captured, blocks, shared), strict=True):
        squares = layer_squares(deltas, inputs, block, tracked.schedule)
        sums += squares
        finite = torch.isfinite(squares).all(dim=0)
        yield (deltas, inputs) if finite.all() else (_zeroed(deltas, finite), _zeroed(inputs, finite))


def _without(captured: Captured, finite: Tensor) -> Captured:
    """With nothing of the other documents left for the embedding's rows.    finite: bool [B]"""
    of_target = finite[captured.batch.is_target.nonzero()[:, 0]]  # [n]
    return replace(
        captured,
        hidden=_zeroed(captured.hidden, finite),
        embedded_deltas=_zeroed(captured.embedded_deltas, finite),
        logit_deltas=torch.where(of_target[:, None], captured.logit_deltas, 0),
    )


def _zeroed(tokens: Tensor, finite: Tensor) -> Tensor:
    return torch.where(finite[:, None, None], tokens, 0)

"""The pass over the training documents that everything else stands on: one forward and backward of every document
leaves its norms, its hidden state and its compressed gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.curvature.blocks import Preconditioner
from attribution.curvature.turned import turned
from attribution.index.compress import DIRECTIONS, Compressed, compress, in_order
from attribution.index.document_norms import DocumentNorms, batch_norms, gathered, spectrum
from attribution.index.metric import metrics
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
) -> Passed:
    """One pass over the documents.

    n_train: N of the corpus.   budget: bytes of compressed gradient a document, 0 for none.   `tick(n)` after n
    documents. Raises BadInput for a document that is empty or longer than the context.
    """
    eigen, diagonal = preconditioner.eigen(tracked), preconditioner.diagonal(tracked)
    scales = metrics(tracked, eigen, DIRECTIONS) if budget else []
    weights = [spectrum(block) for block in preconditioner.fitted(tracked)]
    table = np.full((len(documents), 4), np.nan, dtype=np.float64)
    hidden = np.zeros((len(documents), tracked.width), dtype=np.float16)
    kept: list[list[Compressed]] = []
    for batch in batches(documents, tracked.loaded.context, tracked.device):
        captured, members = capture(tracked, batch), list(batch.members)
        tokens = list(turned(tracked, captured, eigen))
        sums = batch_norms(tracked, weights, captured, tokens)  # [B, 3]
        table[members] = torch.cat([captured.loss[:, None], sums], dim=1).double().cpu().numpy()
        hidden[members] = mean_hidden(captured.hidden, captured.batch).nan_to_num(nan=0.0).cpu().numpy()
        if budget:
            finite = torch.isfinite(sums).all(dim=1)
            if not finite.all():  # a skipped document has no vectors
                tokens = [(_zeroed(deltas, finite), _zeroed(inputs, finite)) for deltas, inputs in tokens]
                captured = _without(captured, finite)
            made = compress(tracked, scales, diagonal, tokens, captured, budget)
            kept.append([of.renumbered(members) for of in made])
        if tick is not None:
            tick(len(members))
    return Passed(gathered(table, n_train), hidden, [in_order(of) for of in zip(*kept, strict=True)])


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

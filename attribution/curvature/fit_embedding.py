"""Diagonal Fisher of the embedding and the head: the blocks that EK-FAC libraries leave out.

    F[v, h] = E over documents of (∂L(z)/∂W[v, h])²,   labels of z sampled from the model

in the same unit as EK-FAC's Λ: a square of *summed* document gradients. A document's gradient is that of the head,
`Σ_t δlogits_t h_tᵀ`, of rank T, and the looked-up rows `G[x_s] += δ_s`, which are few.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from attribution.curvature.fit_plan import TOKENS as LARGEST
from attribution.curvature.parts import GENERATOR, Kept, Progress, Sums, add_up, named
from attribution.curvature.work import Numbers, cut
from attribution.model.tracked import Tracked
from attribution.passes.batches import TOKENS, Row, batches, plan_batches
from attribution.passes.capture import Captured, capture
from attribution.passes.squares import slices

_EMBEDDING = "embedding: document"


def embedding_fisher(
    tracked: Tracked,
    documents: Sequence[Row],
    seed: int,
    kept: Kept,
    most: float,
    costs: Numbers,
    progress: Progress,
    tokens: int = LARGEST,
) -> tuple[Tensor, ...]:
    """Sums over the documents for F of each block of `tracked.embedding`  # [V, H] each, float32

    most, costs: multiply-adds of a part, about, and of each document in the order of `in_order`.
    tokens: padded, of a batch that the memory allows.
    """
    passing = in_order(documents)
    fitting = _Tokens(min(tokens, TOKENS))
    starts = np.cumsum([0, *map(len, plan_batches(passing, fitting.n))])  # of each batch
    ends = replace(tracked, linear=())  # nothing else is read
    generator = torch.Generator(tracked.device).manual_seed(seed)
    begin = generator.get_state()

    def add(items: range, before: Sums) -> Sums:
        tick = progress.over(_EMBEDDING, costs, items.start)
        generator.set_state(before.pop(GENERATOR))
        total = [
            before[str(i)].to(tracked.device) if before else tracked.zeros(of.n_out, of.n_in)
            for i, of in enumerate(tracked.embedding)
        ]
        some = passing[items.start : items.stop]
        for batch in batches(some, tracked.loaded.context, tracked.device, fitting.n):
            fitting.last = batch.ids.numel(), len(batch.members)
            captured = capture(ends, batch, generator)
            for i, of in enumerate(total):
                add_block(tracked, of, captured, i)
            tick(len(batch.members))
        return {str(i): of for i, of in enumerate(total)} | {GENERATOR: generator.get_state()}

    blocks = range(len(tracked.linear), len(tracked.layers))
    parts = named("embedding", cut(costs, starts.tolist(), most), len(documents), blocks)
    found, attempt = progress.found(_EMBEDDING, costs), progress.attempt(fitting.halve)
    sums = add_up(parts, kept, {GENERATOR: begin}, add, found, attempt)
    return tuple(sums[str(i)] for i in range(len(tracked.embedding)))


def add_block(tracked: Tracked, total: Tensor, captured: Captured, block: int) -> None:
    """Add the squares of every document's gradient of one embedding block, in place.    total: [V, H]

    block: 0 is the embedding (with the head when tied), 1 the untied head.
    """
    given = [_looked_up(tracked, captured, b) if block == 0 else None for b in range(len(captured.batch.ids))]
    if not (tracked.tied or block == 1):
        for each in given:
            if each is not None:
                total.index_add_(0, each[0], each[1].square())
        return
    heads = _heads(captured)
    cuts = slices(len(total), total.shape[1], tracked.schedule.cached)
    borders = torch.tensor([rows.start for rows in cuts] + [len(total)], device=total.device)
    places = [[0] * len(borders) if of is None else torch.searchsorted(of[0], borders).tolist() for of in given]
    for s, rows in enumerate(cuts):
        part = total[rows]
        gradient = torch.empty_like(part)
        for (deltas, hidden), of, place in zip(heads, given, places, strict=True):
            torch.mm(deltas[:, rows].T, hidden, out=gradient)
            here = slice(place[s], place[s + 1])
            if of is not None and here.start < here.stop:
                gradient.index_add_(0, of[0][here] - rows.start, of[1][here])
            part.addcmul_(gradient, gradient)


def _looked_up(tracked: Tracked, captured: Captured, b: int) -> tuple[Tensor, Tensor]:
    """The vocabulary entries that a document reads, ascending, and the gradient of their rows  # [n], [n, H]"""
    entries, which = captured.batch.ids[b].unique(return_inverse=True)
    gradients = captured.embedded_deltas.new_zeros(len(entries), captured.embedded_deltas.shape[2])
    return entries, gradients.index_add_(0, which, captured.embedded_deltas[b], alpha=tracked.embedding_scale)


def _heads(captured: Captured) -> list[tuple[Tensor, Tensor]]:
    """∂L/∂logits and hidden states at the targets of every document  # [n, V], [n, H]"""
    counts = captured.batch.is_target.sum(dim=1).tolist()
    hidden = captured.hidden[captured.batch.is_target]
    return list(zip(captured.logit_deltas.split(counts), hidden.split(counts), strict=True))


def in_order(documents: Sequence[Row]) -> list[Row]:
    """The documents as they pass."""
    return [documents[i] for batch in plan_batches(documents) for i in batch]


class _Tokens:
    """Padded tokens of a batch, fewer after there was no memory for one."""

    def __init__(self, n: int) -> None:
        self.n, self.last = n, (0, 0)

    def halve(self) -> str:
        places, n_documents = self.last
        if n_documents < 2:
            return ""
        self.n = places // 2
        return f"no memory for {places:,} tokens at once, going on with {self.n:,}"

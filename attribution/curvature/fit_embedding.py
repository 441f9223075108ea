"""Curvature of the embedding and the head, the blocks that EK-FAC libraries leave out: Kronecker-factored (Martens and
Grosse 2015, arXiv 1503.05671), both factors diagonal.

    F[v, h] = read_v E_s[δ_sh²] + predicted_v E_t[u_t h_th²]        u_t = Σ_v p_tv (1 − p_tv)

in the same unit as EK-FAC's Λ, a square of *summed* document gradients, positions taken for independent. read_v and
predicted_v are the rates of a token in a document, over the whole training (`passes/token_rates.py`). E_s and E_t are
means over the sample's positions that read a token, and that predict one: δ_s is the gradient of what is looked up, for
labels sampled from the model; h_t is what the head reads, and u_t what δlogits_t squared adds up to over the
vocabulary, on average over its labels: Σ_v |δ_tv| (1 − |δ_tv|), whichever was sampled.

A square for each row would know only the rows that the sample meets: of all others λ would decide.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from attribution.curvature.fit_plan import TOKENS as LARGEST
from attribution.curvature.parts import GENERATOR, Kept, Progress, Sums, add_up, named
from attribution.curvature.work import Numbers, cut
from attribution.model.head import uncapped
from attribution.model.tracked import Tracked
from attribution.passes.batches import TOKENS, Batch, Row, batches, plan_batches
from attribution.passes.capture import Captured, capture
from attribution.passes.token_rates import TokenRates

_EMBEDDING = "embedding: document"
READ, PREDICTED = "read", "predicted"  # sums of squares [H], and at how many positions


def embedding_fisher(
    tracked: Tracked,
    documents: Sequence[Row],
    rates: TokenRates,
    seed: int,
    kept: Kept,
    most: float,
    costs: Numbers,
    progress: Progress,
    tokens: int = LARGEST,
) -> tuple[Tensor, ...]:
    """F of each block of `tracked.embedding`  # [V, H] each, float32

    documents: the sample.
    most, costs: multiply-adds of a part, about, and of each document in the order of `in_order`.
    tokens: padded, of a batch that the memory allows.
    """
    passing = in_order(documents)
    fitting = _Tokens(min(tokens, TOKENS))
    starts = np.cumsum([0, *map(len, plan_batches(passing, fitting.n))])  # of each batch
    ends = replace(tracked, linear=())  # nothing else is read
    generator = torch.Generator(tracked.device).manual_seed(seed)
    first = {name: _zeros(tracked, n) for name, n in _sizes(tracked).items()} | {GENERATOR: generator.get_state()}

    def add(items: range, before: Sums) -> Sums:
        tick = progress.over(_EMBEDDING, costs, items.start)
        generator.set_state(before.pop(GENERATOR))
        total = {name: of.to(tracked.device) for name, of in before.items()}
        some = passing[items.start : items.stop]
        for batch in batches(some, tracked.loaded.context, tracked.device, fitting.n):
            fitting.last = batch.ids.numel(), len(batch.members)
            for name, of in position_squares(tracked, capture(ends, batch, generator)).items():
                total[name] += of
            tick(len(batch.members))
        return total | {GENERATOR: generator.get_state()}

    blocks = range(len(tracked.linear), len(tracked.layers))
    parts = named("embedding", cut(costs, starts.tolist(), most), len(documents), blocks)
    found, attempt = progress.found(_EMBEDDING, costs), progress.attempt(fitting.halve)
    sums = add_up(parts, kept, first, add, found, attempt)
    return tuple(_block(tracked, i, sums, rates) for i in range(len(tracked.embedding)))


def position_squares(tracked: Tracked, captured: Captured) -> dict[str, Tensor]:
    """Σ_s δ_s² and Σ_t u_t h_t² of a pass, each followed by its number of positions  # [H + 1] each, float64

    Of a pair nothing is averaged over labels, which are given: u_t is |δlogits_t|² for the preference that was drawn.
    """
    batch = captured.batch
    read = _reading(batch) & tracked.learns(batch.ids)
    looked_up = (captured.embedded_deltas[read] * tracked.embedding_scale).double()
    hidden, deltas = captured.hidden[batch.is_target], captured.logit_deltas
    u = torch.linalg.vecdot(deltas, deltas)
    if not batch.preferences:
        u = _steps(tracked, hidden, deltas) - u
    found = {READ: looked_up.square().sum(dim=0), PREDICTED: u.double() @ hidden.double().square()}
    numbers = {READ: int(read.sum()), PREDICTED: len(hidden)}
    return {name: torch.cat([of, of.new_tensor([numbers[name]])]) for name, of in found.items()}


def _steps(tracked: Tracked, hidden: Tensor, deltas: Tensor) -> Tensor:
    """Σ_v |δ_v| c_v, c: ∂logits/∂raw where the model has a soft cap, else 1. |δ_v| c_v − δ_v² is c_v² p_v (1 − p_v) for
    the label as for all others.    hidden: [n, H]   deltas: [n, V]   -> [n]"""
    if tracked.softcap is None:
        size: Tensor = torch.linalg.vector_norm(deltas, 1, dim=1)
        return size
    with torch.no_grad():
        raw = tracked.raw_logits(hidden)
    return uncapped(deltas.abs(), raw, tracked.softcap).sum(dim=1)


def _reading(batch: Batch) -> Tensor:
    """`token_rates.reading` of each document  # bool [B, T]"""
    later = batch.is_target.view(-1, batch.width).flip(1).cummax(dim=1).values.flip(1)
    return later.view_as(batch.is_target)


def _block(tracked: Tracked, i: int, sums: Sums, rates: TokenRates) -> Tensor:
    """F of block i: 0 is the embedding (with the head when tied), 1 the untied head  # [V, H]"""
    of = tracked.embedding[i]
    total = tracked.zeros(of.n_out, of.n_in)
    moved = tracked.learns(torch.arange(of.n_out, device=tracked.device))
    for name, each, here in ((READ, rates.read, i == 0), (PREDICTED, rates.predicted, tracked.tied or i == 1)):
        if here:
            rate, squares = torch.from_numpy(each[: of.n_out]).to(total), sums[name]
            mean = (squares[:-1] / squares[-1].clamp(min=1)).to(total)
            total.addr_(rate * moved if name == READ else rate, mean)
    return total.to(torch.float32)


def _sizes(tracked: Tracked) -> dict[str, int]:
    return {READ: tracked.embedding[0].n_in, PREDICTED: tracked.embedding[-1].n_in}


def _zeros(tracked: Tracked, n: int) -> Tensor:
    return torch.zeros(n + 1, dtype=torch.float64, device=tracked.device)


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

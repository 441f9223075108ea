"""Query directions of every generated token from one forward pass: the backward pass alone is repeated, batched.

∇f_k = Σ_t δ_{k,t} a_tᵀ per linear layer, then P_k = (G + λI)⁻¹ ∇f_k
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.capture import Forward, forward, pull_back
from attribution.directions import Directions, RowBlock, join_directions, stack_rows
from attribution.embedding import add_looked_up
from attribution.errors import BadInput
from attribution.head import capped, head_pull_back, uncapped
from attribution.measurement import measure
from attribution.preconditioner import Block, Preconditioner, solve_outer
from attribution.tracked import Tracked

AT_ONCE = 32  # backward passes that share one batch
NEGLIGIBLE = 1e-6  # share of a query's energy that dropped vocabulary rows may hold, in all


@dataclass(frozen=True)
class _Rows:
    """The n positions whose logits are measured, and which of the K measurements each belongs to."""

    ids: Tensor  # [1, T] what the model has read
    at: Tensor  # [n] positions
    query_of: Tensor  # [n]
    deltas: Tensor  # [n, V] ∂f/∂(raw logits)

    def of(self, start: int, stop: int) -> "_Rows":
        """Those of queries start … stop, numbered from 0."""
        mine = (self.query_of >= start) & (self.query_of < stop)
        return _Rows(self.ids, self.at[mine], self.query_of[mine] - start, self.deltas[mine])


def query_directions(
    tracked: Tracked,
    preconditioner: Preconditioner,
    ids: Sequence[int],
    first: int,
    *,
    last: int | None = None,
    measurement: str = "logp",
    foils: Sequence[int] | None = None,
    negligible: float = NEGLIGIBLE,
) -> Directions:
    """One query for each token of `ids[first:last]` (one in all for `mean_logp`).

    ids: prompt and answer as the model read them. negligible: see `NEGLIGIBLE`; 0 keeps every row.
    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    ids = tuple(ids)[:last]
    if not 1 <= first < len(ids):
        raise BadInput(f"expected tokens to explain after at least one other, found {first}:{len(ids)}; check the span")
    read = torch.tensor([ids[:-1]], device=tracked.device)
    labels = torch.tensor(ids[first:], device=tracked.device)
    run = forward(tracked, read)
    at = torch.arange(first - 1, len(ids) - 1, device=tracked.device)
    with torch.no_grad():
        raw = tracked.raw_logits(run.hidden[0, at])  # [n, V]
        measured = measure(measurement, capped(raw, tracked.softcap), labels, foils)
        rows = _Rows(read, at, measured.query_of, uncapped(measured.deltas, raw, tracked.softcap))
    parts: list[Directions] = []
    for values in measured.values.split(AT_ONCE):
        start = len(parts) * AT_ONCE
        parts.append(_directions(tracked, preconditioner, run, rows.of(start, start + len(values)), values, negligible))
    return join_directions(parts)


def _directions(
    tracked: Tracked, preconditioner: Preconditioner, run: Forward, rows: _Rows, values: Tensor, negligible: float
) -> Directions:
    hidden_deltas = tracked.zeros(len(values), *run.hidden.shape)  # [K, 1, T, H]
    hidden_deltas[rows.query_of, 0, rows.at] = head_pull_back(tracked, rows.deltas)
    deltas, embedded_deltas = pull_back(tracked, run, hidden_deltas, again=True)
    energy = torch.zeros_like(values)
    linear = []
    for a, delta, block in zip(run.inputs, deltas, preconditioner.linear(tracked), strict=True):
        P, more = solve_outer(block, delta[:, 0], a[0])
        linear.append(P)
        energy += more
    embedding = []
    for i, block in enumerate(preconditioner.embedding(tracked)):
        solved, more = _embedding_block(tracked, run, rows, embedded_deltas, i, block, negligible)
        embedding.append(solved)
        energy += more
    return Directions(tuple(linear), tuple(embedding), values, energy)


def _embedding_block(
    tracked: Tracked, run: Forward, rows: _Rows, embedded_deltas: Tensor, i: int, block: Block, negligible: float
) -> tuple[RowBlock, Tensor]:
    """One query at a time: its gradient is as large as the vocabulary until the rows that matter are known."""
    layer = tracked.embedding[i]
    hidden = tracked.widened(run.hidden[0].detach())
    solved, energy = [], []
    for k in range(len(embedded_deltas)):
        g = tracked.zeros(layer.n_out, layer.n_in)
        if tracked.tied or i == 1:
            mine = rows.query_of == k
            g.addmm_(rows.deltas[mine].T, hidden[rows.at[mine]])  # [V, H]
        if i == 0:
            add_looked_up(g[None], rows.ids, embedded_deltas[k], tracked.embedding_scale)
        P = block.solve(g)
        by_row = (g * P).sum(dim=1)  # [V]
        energy.append(by_row.sum())
        kept = rows_that_matter(by_row.abs(), negligible)
        solved.append(RowBlock(kept, P[kept][None]))
    return stack_rows(solved), torch.stack(energy)


def rows_that_matter(by_row: Tensor, negligible: float) -> Tensor:
    """The fewest rows that hold all but a `negligible` share of the sum, ascending.    by_row: [V], not negative"""
    if negligible <= 0:
        return torch.arange(len(by_row), device=by_row.device)
    values, order = by_row.double().sort()
    dropped = values.cumsum(0) <= negligible * values.sum()
    return order[~dropped].sort().values

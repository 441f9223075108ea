"""Query directions of every generated token from one forward pass: the backward pass alone is repeated, batched.

∇f_k = Σ_t δ_{k,t} a_tᵀ per linear layer, then P_k = (G + λI)⁻¹ ∇f_k

Of an embedding block the rows of P that matter are kept. With M = G + λI of the documents' stage, in which rows do not
meet, and D the dropped rows, Cauchy–Schwarz bounds what a document z loses:

    |Δ influence(z)| = (1/N) |⟨P_D, ∇L(z)⟩| ≤ (1/N) ‖P_D‖_M ‖∇L(z)‖_M⁻¹,      ‖P‖²_M = ⟨P, M P⟩

D is chosen so that ‖P_D‖_M ≤ ε ‖P‖_M in each block. Of a plain query ‖P‖²_M is its energy and ‖∇L(z)‖²_M⁻¹ is that of
the document, hence |Δ influence(z)| ≤ ε √(self-influence of the query · of the document): no cosine moves by more than
ε. Across stages P is longer or shorter, by α and the curvatures between, and M is that of the stage where z was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, Preconditioner, solve_outer
from attribution.errors import BadInput
from attribution.exact.directions import Directions, RowBlock, join_directions, stack_rows
from attribution.model.head import capped, head_pull_back, uncapped
from attribution.model.measurement import measure
from attribution.model.tracked import Tracked
from attribution.passes.capture import Forward, forward, pull_back
from attribution.passes.embedding import add_looked_up

AT_ONCE = 32  # backward passes that share one batch
NEGLIGIBLE = 1e-4  # ε of `rows_that_matter`: what dropped vocabulary rows may change of a cosine


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


@dataclass(frozen=True)
class QueryPass:
    """Some of the measurements of one forward pass, pulled back through the model."""

    run: Forward
    rows: _Rows
    values: Tensor  # [K] nats
    deltas: tuple[Tensor, ...]  # [K, T, out] of each linear layer, whose inputs are run.inputs[0]
    embedded_deltas: Tensor  # [K, 1, T, H]


def query_passes(
    tracked: Tracked,
    ids: Sequence[int],
    first: int,
    *,
    last: int | None = None,
    measurement: str = "logp",
    foils: Sequence[int] | None = None,
) -> Iterator[QueryPass]:
    """One measurement for each token of `ids[first:last]` (one in all for `mean_logp`), AT_ONCE at a time.

    ids: prompt and answer as the model read them.
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
    start = 0
    for values in measured.values.split(AT_ONCE):
        mine = rows.of(start, start + len(values))
        hidden_deltas = tracked.zeros(len(values), *run.hidden.shape)  # [K, 1, T, H]
        hidden_deltas[mine.query_of, 0, mine.at] = head_pull_back(tracked, mine.deltas)
        deltas, embedded_deltas = pull_back(tracked, run, hidden_deltas, again=True)
        yield QueryPass(run, mine, values, tuple(delta[:, 0] for delta in deltas), embedded_deltas)
        start += len(values)


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
    """P of every measurement of `query_passes`. negligible: see `NEGLIGIBLE`; 0 keeps every row.

    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    passes = query_passes(tracked, ids, first, last=last, measurement=measurement, foils=foils)
    return join_directions([_directions(tracked, preconditioner, each, negligible) for each in passes])


def continuation_directions(
    tracked: Tracked,
    preconditioner: Preconditioner,
    ids: Sequence[int],
    first: int,
    foil: Sequence[int],
    *,
    last: int | None = None,
    negligible: float = NEGLIGIBLE,
) -> Directions:
    """P of one number: f = log p(ids[first:last]) − log p(foil), each as a whole and given ids[:first].

    The two may have any lengths: each is read in a pass of its own, and the gradients are taken from each other.
    Raises BadInput for a span or a foil without tokens.
    """
    said, instead = tuple(ids)[:last], (*tuple(ids)[:first], *foil)
    passes = [next(query_passes(tracked, each, first, measurement="mean_logp")) for each in (said, instead)]
    together = _together(passes, [len(said) - first, first - len(instead)])
    return _directions(tracked, preconditioner, together, negligible)


def _together(passes: Sequence[QueryPass], weights: Sequence[float]) -> QueryPass:
    """Passes of one measurement each as one pass of their weighted sum, the positions of one behind the other's."""
    starts = [sum(of.rows.ids.shape[1] for of in passes[:i]) for i in range(len(passes))]
    weighted = list(zip(passes, weights, strict=True))
    run = Forward(
        inputs=tuple(torch.cat(each, dim=1).detach() for each in zip(*(of.run.inputs for of in passes), strict=True)),
        outputs=(),
        embedded=torch.cat([of.run.embedded for of in passes], dim=1).detach(),
        hidden=torch.cat([of.run.hidden for of in passes], dim=1).detach(),
    )
    rows = _Rows(
        ids=torch.cat([of.rows.ids for of in passes], dim=1),
        at=torch.cat([of.rows.at + start for of, start in zip(passes, starts, strict=True)]),
        query_of=torch.cat([of.rows.query_of for of in passes]),
        deltas=torch.cat([weight * of.rows.deltas for of, weight in weighted]),
    )
    deltas = [[weight * delta for delta in of.deltas] for of, weight in weighted]
    return QueryPass(
        run,
        rows,
        torch.stack([weight * of.values for of, weight in weighted]).sum(dim=0),
        tuple(torch.cat(each, dim=1) for each in zip(*deltas, strict=True)),
        torch.cat([weight * of.embedded_deltas for of, weight in weighted], dim=2),
    )


def _directions(tracked: Tracked, preconditioner: Preconditioner, of: QueryPass, negligible: float) -> Directions:
    energy = torch.zeros_like(of.values)
    linear = []
    for a, delta, block in zip(of.run.inputs, of.deltas, preconditioner.linear(tracked), strict=True):
        P, more = solve_outer(block, delta, a[0])
        linear.append(P)
        energy += more
    embedding = []
    for solved, more in embedding_blocks(tracked, preconditioner, of, negligible):
        embedding.append(solved)
        energy += more
    return Directions(tuple(linear), tuple(embedding), of.values, energy)


def embedding_blocks(
    tracked: Tracked, preconditioner: Preconditioner, of: QueryPass, negligible: float = NEGLIGIBLE
) -> Iterator[tuple[RowBlock, Tensor]]:
    """The rows of P that matter in each embedding block, and ∇fᵀ P there, of all rows  # [K]"""
    for i, block in enumerate(preconditioner.embedding(tracked)):
        yield _embedding_block(tracked, of.run, of.rows, of.embedded_deltas, i, block, negligible)


def _embedding_block(
    tracked: Tracked, run: Forward, rows: _Rows, embedded_deltas: Tensor, i: int, block: Block, negligible: float
) -> tuple[RowBlock, Tensor]:
    """One query at a time: its gradient is as large as the vocabulary until the rows that matter are known."""
    layer = tracked.embedding[i]
    hidden = tracked.head_input(run.hidden[0].detach())
    solved, energy = [], []
    for k in range(len(embedded_deltas)):
        g = tracked.zeros(layer.n_out, layer.n_in)
        if tracked.tied or i == 1:
            mine = rows.query_of == k
            g.addmm_(rows.deltas[mine].T, hidden[rows.at[mine]])  # [V, H]
        if i == 0:
            add_looked_up(g[None], rows.ids, embedded_deltas[k], tracked.embedding_scale)
        P, pulled = block.solve_pulled(g) if isinstance(block, ChainBlock) else (block.solve(g), g)
        energy.append((g * P).sum())
        kept = rows_that_matter((pulled * P).sum(dim=1).abs(), negligible)  # by row, ⟨P, M P⟩
        solved.append(RowBlock(kept, P[kept][None]))
    return stack_rows(solved), torch.stack(energy)


def rows_that_matter(squares: Tensor, negligible: float) -> Tensor:
    """The fewest rows whose others together are no longer than ε ‖P‖_M, ascending.

    squares: [V] ‖·‖²_M of each row   negligible: ε, of lengths; squares add up to ε²
    """
    if negligible <= 0:
        return torch.arange(len(squares), device=squares.device)
    values, order = squares.double().sort()
    dropped = values.cumsum(0) <= negligible**2 * values.sum()
    return order[~dropped].sort().values

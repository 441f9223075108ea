"""Query directions of every generated token from one forward pass: the backward pass alone is repeated, batched.

∇f_k = Σ_t δ_{k,t} a_tᵀ per linear layer, then P_k = (G + λI)⁻¹ ∇f_k

Of an embedding block the rows of P that matter are kept. With M = G + λI of the documents' stage, in which rows do not
meet, and D the dropped rows, Cauchy–Schwarz bounds what a document z loses:

    |Δ influence(z)| = (1/N) |⟨P_D, ∇L(z)⟩| ≤ (1/N) ‖P_D‖_M ‖∇L(z)‖_M⁻¹,      ‖P‖²_M = ⟨P, M P⟩

D is chosen so that ‖P_D‖_M ≤ ε ‖P‖_M in each block. ‖P‖²_M is the energy of the query and ‖∇L(z)‖²_M⁻¹ that of the
document, hence |Δ influence(z)| ≤ ε √(self-influence of the query · of the document): no cosine moves by more than ε.
Across stages P is longer or shorter, by α and the curvatures between, and so is the query's self-influence there.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, EigenBlock, IdentityBlock, Preconditioner
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions, join_directions
from attribution.query.matrices import LayerDirections, Outer, Whole
from attribution.query.passes import QueryPass, query_passes, together
from attribution.query.vocabulary_rows import (
    SLICE,
    Read,
    ReadRows,
    RowBlock,
    inverse_rows,
    pulled_rows,
    stack_rows,
    whole_rows,
)

NEGLIGIBLE = 1e-4  # ε of `rows_that_matter`: what dropped vocabulary rows may change of a cosine


def query_directions(
    tracked: Tracked,
    preconditioner: Preconditioner,
    ids: Sequence[int],
    first: int,
    *,
    last: int | None = None,
    measurement: str = "logp",
    foils: Sequence[int] | None = None,
    spans: Sequence[range] | None = None,
    negligible: float = NEGLIGIBLE,
) -> Directions:
    """P of every measurement of `query_passes`. negligible: see `NEGLIGIBLE`; 0 keeps every row.

    Raises BadInput for a span that holds no token, or one before which the model has read nothing.
    """
    passes = query_passes(tracked, ids, first, last=last, measurement=measurement, foils=foils, spans=spans)
    return join_directions(_directions(tracked, preconditioner, each, negligible) for each in passes)


def bytes_of_query(
    tracked: Tracked, preconditioner: Preconditioner, n_tokens: int, n_together: int, n_measured: float = 1
) -> int:
    """Of the directions of one token, or of a span of so many measured ones, after about so many others.

    n_together: queries of one pass, which share what the layers read.
    """
    linear = 0
    for layer, block in zip(tracked.linear, preconditioner.linear(tracked), strict=True):
        if _is_outer(block, n_tokens, layer.n_in):
            linear += n_tokens * (layer.n_out + layer.n_in // n_together)
        else:
            linear += layer.n_out * layer.n_in
    embedding = 0
    for layer, block in zip(tracked.embedding, preconditioner.embedding(tracked), strict=True):
        mixes = inverse_rows(block, torch.zeros(1, dtype=torch.long, device=tracked.device)) is None
        rows = round(n_measured * (layer.n_out + layer.n_in))
        embedding += layer.n_out * layer.n_in if mixes else rows + n_tokens * layer.n_in
    return 4 * (linear + embedding)


def continuation_directions(
    tracked: Tracked,
    preconditioner: Preconditioner,
    ids: Sequence[int],
    first: int,
    foil: Sequence[int],
    *,
    last: int | None = None,
    also: Sequence[range] = (),
    negligible: float = NEGLIGIBLE,
) -> Directions:
    """P of one number: f = log p(ids[first:last]) − log p(foil), each as a whole and given ids[:first], and
    + log p(ids[of]) of other stretches of `ids`.

    The two may have any lengths: each is read in a pass of its own, and the gradients are taken from each other.
    Raises BadInput for a span or a foil without tokens.
    """
    said, instead = tuple(ids)[:last], (*tuple(ids)[:first], *foil)
    read = [(said, first, 1.0), (instead, first, -1.0)]
    read += [(tuple(ids)[: of.stop], of.start, 1.0) for of in also]
    passes = [next(query_passes(tracked, of, start, spans=[range(len(of) - start)])) for of, start, _ in read]
    one = together(passes, [weight for *_, weight in read])
    return _directions(tracked, preconditioner, one, negligible)


def _directions(tracked: Tracked, preconditioner: Preconditioner, of: QueryPass, negligible: float) -> Directions:
    energy = torch.zeros_like(of.values)
    linear = []
    for a, delta, block in zip(of.run.inputs, of.deltas, preconditioner.linear(tracked), strict=True):
        made, more = layer_directions(block, delta, a[0], tracked.schedule.cached)
        linear.append(made)
        energy += more
    embedding = []
    for solved, more in embedding_blocks(tracked, preconditioner, of, negligible):
        embedding.append(solved)
        energy += more
    return Directions(tuple(linear), tuple(embedding), of.values, energy)


def _is_outer(block: Block, n_tokens: int, n_in: int) -> bool:
    """Whether its directions are kept as tokens: those of a chain of solves are no product, divided once."""
    return isinstance(block, EigenBlock | IdentityBlock) and n_tokens < n_in


def layer_directions(block: Block, delta: Tensor, a: Tensor, cached: int) -> tuple[LayerDirections, Tensor]:
    """P = (G + λI)⁻¹ ∇f and ‖P‖²_M for ∇f = Σ_t δ_t a_tᵀ.    delta: [K, T, out]   a: [T, in]   -> K of them, [K]

    cached: numbers that are formed at once.
    """
    if not isinstance(block, EigenBlock | IdentityBlock):
        P, pulled = _solve(block, delta.transpose(1, 2) @ a)
        return LayerDirections(None, (Whole(P),)), (pulled * P).sum(dim=(1, 2))
    basis = block.basis
    if basis is not None:
        delta, a = delta @ basis.Q_S, a @ basis.Q_A
    made = Outer(delta, a, block if isinstance(block, EigenBlock) else None)
    energy = _energy(made, cached)
    whole = LayerDirections(basis, (made,))
    return whole if _is_outer(block, len(a), a.shape[1]) else whole.formed(), energy


def _solve(block: Block, g: Tensor) -> tuple[Tensor, Tensor]:
    """P and M P"""
    return block.solve_pulled(g) if isinstance(block, ChainBlock) else (block.solve(g), g)


def _energy(of: Outer, cached: int) -> Tensor:
    """‖P‖²_M = ∇fᵀ P = Σ (Λ + λ) M², some rows at a time  # [K]"""
    n_out, n_in = of.shape
    step = max(1, cached // (of.n * n_in))
    total = of.deltas.new_zeros(of.n)
    for start in range(0, n_out, step):
        M = of.rows(start, min(start + step, n_out))
        if of.block is None:
            total += M.square().sum(dim=(1, 2))
        else:
            divisor = of.block.basis.lam[start : start + step] + of.block.damping
            total += (M.square_() * divisor).sum(dim=(1, 2))
    return total


def embedding_blocks(
    tracked: Tracked, preconditioner: Preconditioner, of: QueryPass, negligible: float = NEGLIGIBLE
) -> Iterator[tuple[RowBlock, Tensor]]:
    """The rows of P that matter in each embedding block, and ‖P‖²_M there, of all rows  # [K]"""
    for i, block in enumerate(preconditioner.embedding(tracked)):
        read = _read(tracked, of, i)
        rows = torch.arange(tracked.embedding[i].n_out, device=tracked.device)
        if inverse_rows(block, rows[:1]) is None:
            yield _solved(tracked, of, i, block, negligible)
            continue
        squares = _squares(read, block, rows)
        kept = torch.stack([_mask(of_query, negligible) for of_query in squares])  # [K, V]
        some = kept.any(dim=0).nonzero()[:, 0]
        at = torch.searchsorted(some, read.at).clamp(max=max(0, len(some) - 1))
        at = torch.where(some[at] == read.at, at, -1) if len(some) else read.at[:0]
        looked_up = read.looked_up if len(some) else read.looked_up[:, :0]
        fewer = Read(read.deltas[:, some], read.hidden, read.query_of, at, looked_up)
        yield RowBlock(some, (ReadRows(some, fewer, kept[:, some], block),)), squares.sum(dim=1)


def _read(tracked: Tracked, of: QueryPass, i: int) -> Read:
    """∇f in an embedding block, over all rows of the vocabulary."""
    K, H = len(of.values), tracked.embedding[i].n_in
    hidden, deltas = tracked.head_input(of.run.hidden[0].detach())[of.rows.at], of.rows.deltas
    query_of, at = of.rows.query_of, of.rows.ids[0]
    looked_up = tracked.embedding_scale * of.embedded_deltas[:, 0]
    if not tracked.tied and i == 0:
        hidden, deltas, query_of = hidden[:0], deltas[:0], query_of[:0]
    if i == 1:
        at, looked_up = at[:0], looked_up.new_zeros(K, 0, H)
    return Read(deltas, hidden, query_of, at, looked_up)


def _squares(read: Read, block: Block, rows: Tensor) -> Tensor:
    """Of every row and query ⟨P, M P⟩  # [K, V]"""
    squares = read.looked_up.new_zeros(read.n, len(rows))
    step = max(1, SLICE // ((1 if read.one_each else read.n) * read.looked_up.shape[2]))
    for some in rows.split(step) if len(read.query_of) else ():
        _set_squares(squares, read, block, some, alone=read.one_each)
    if len(read.at):
        _set_squares(squares, read, block, read.at.unique(), alone=False)
    return squares


def _set_squares(squares: Tensor, read: Read, block: Block, some: Tensor, alone: bool) -> None:
    """alone: every query has one position, and no row is looked up: Σ_h (d h_h)² F_h = d² Σ_h h_h² F_h, F = E · pull:
    one product for all queries."""
    E, pull = inverse_rows(block, some), pulled_rows(block, some)
    if E is None or pull is None:
        raise TypeError(type(block).__name__)
    F = E * pull
    if alone:
        width = read.hidden.shape[1]
        squares[:, some] = read.deltas[:, some].square() * (
            read.hidden.square() @ F.to(read.hidden).expand(len(some), width).T
        )
    else:
        squares[:, some] = (read.gradients(some).square_() * F).sum(dim=2)


def _solved(tracked: Tracked, of: QueryPass, i: int, block: Block, negligible: float) -> tuple[RowBlock, Tensor]:
    """Of a block that mixes the numbers of a row, one query at a time: its gradient is as large as the vocabulary until
    the rows that matter are known."""
    layer, read = tracked.embedding[i], _read(tracked, of, i)
    rows = torch.arange(layer.n_out, device=tracked.device)
    solved, energy = [], []
    for k in range(len(of.values)):
        g = read.gradients(rows, slice(k, k + 1))[0]  # [V, H]
        P, pulled = _solve(block, g)
        energy.append((pulled * P).sum())
        kept = rows_that_matter((pulled * P).sum(dim=1).abs(), negligible)  # by row, ⟨P, M P⟩
        solved.append(whole_rows(kept, P[kept][None]))
    return stack_rows(solved), torch.stack(energy)


def rows_that_matter(squares: Tensor, negligible: float) -> Tensor:
    """The fewest rows whose others together are no longer than ε ‖P‖_M, ascending.

    squares: [V] ‖·‖²_M of each row   negligible: ε, of lengths; squares add up to ε²
    """
    return _mask(squares, negligible).nonzero()[:, 0]


def _mask(squares: Tensor, negligible: float) -> Tensor:
    """The same as bool [V]."""
    kept = torch.ones_like(squares, dtype=torch.bool)
    if negligible <= 0:
        return kept
    values, order = squares.double().sort()
    kept[order[values.cumsum(0) <= negligible**2 * values.sum()]] = False
    return kept

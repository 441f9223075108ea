"""Sums of squares of documents' gradients, which are formed a slice at a time and do not leave the cache.

With W = Σ_t δ_t a_tᵀ in the basis in which the curvature is diagonal, and Y = W / (Λ + λ):
    ‖∇L‖² = ‖W‖²      ∇Lᵀ (G + λI)⁻¹ ∇L = ⟨W, Y⟩      ‖(G + λI)⁻¹ ∇L‖² = ‖Y‖²
"""

from collections.abc import Callable

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock, EigenBlock
from attribution.index.rows import rows_of_tokens
from attribution.model.tracked import Tracked
from attribution.passes.capture import Captured
from attribution.passes.embedding import add_looked_up, places
from attribution.schedule import Schedule

BUFFERS = 4  # W, Y, 1 / (Λ + λ) and the tokens share the cache
EVEN = 64  # rows, or a multiple: products of other heights are slower
LONG = 64  # tokens for which forming a gradient costs as much as the sums over it


def layer_squares(deltas: Tensor, inputs: Tensor, block: EigenBlock, schedule: Schedule) -> Tensor:
    """The three sums of one linear layer  # [3, B] float64

    deltas: [B, T, out], inputs: [B, T, in] in the eigenbasis.
    """
    total = deltas.new_zeros(3, len(deltas), dtype=torch.float64)
    parts = slices(deltas.shape[1], deltas.shape[2], inputs.shape[2], schedule)
    work = _work(deltas, parts, inputs.shape[2], schedule)
    for rows in parts:
        inverse = (block.basis.lam[rows] + block.damping).reciprocal_()
        total += _slice_squares(deltas[..., rows], inputs, inverse, work)
    return total


def embedding_squares(tracked: Tracked, captured: Captured, i: int, block: DiagonalBlock) -> Tensor:
    """The same of an embedding block  # [3, B] float64"""
    ids, n_rows = captured.batch.ids, len(block.fisher)
    if i == 0 and not tracked.tied:
        W = rows_of_tokens(tracked, captured, i)
        Y = W / (block.fisher[ids] + block.damping)
        return torch.stack([(one * other).sum(dim=(1, 2)) for one, other in ((W, W), (W, Y), (Y, Y))]).double()
    total = captured.hidden.new_zeros(3, len(ids), dtype=torch.float64)
    parts = slices(ids.shape[1], n_rows, captured.hidden.shape[2], tracked.schedule)
    work = _work(captured.hidden, parts, captured.hidden.shape[2], tracked.schedule)
    for rows in parts:
        at = places(ids, rows, n_rows)  # [B, T]
        looked_up = (at >= 0).any(dim=1).tolist() if i == 0 else [False] * len(at)  # which have a row of the slice

        def add(W: Tensor, some: slice, at: Tensor = at, looked_up: list[bool] = looked_up) -> None:
            if any(looked_up[some]):
                add_looked_up(W, at[some], captured.embedded_deltas[some], tracked.embedding_scale)

        inverse = (block.fisher[rows] + block.damping).reciprocal_()
        total += _slice_squares(captured.padded_logit_deltas(rows), captured.hidden, inverse, work, add)
    return total


def slices(n_tokens: int, n_out: int, n_in: int, schedule: Schedule) -> list[slice]:
    """Rows of a gradient that stay in the cache; of many tokens more, since then the product is what takes long."""
    step = _numbers(schedule) * torch.get_num_threads() * max(1, n_tokens // LONG) // n_in
    if schedule.cached >= EVEN:
        step = max(2 * EVEN, step - step % EVEN)
    step = max(1, min(n_out, step))
    return [slice(start, min(start + step, n_out)) for start in range(0, n_out, step)]


def _work(like: Tensor, parts: list[slice], n_in: int, schedule: Schedule) -> Tensor:
    """Room for W and Y of a slice, of several documents where they are small  # [2, _]"""
    return like.new_empty(2, max(parts[0].stop * n_in, _numbers(schedule)))


def _numbers(schedule: Schedule) -> int:
    return schedule.cached // BUFFERS


def _slice_squares(
    deltas: Tensor, inputs: Tensor, inverse: Tensor, work: Tensor, add: Callable[[Tensor, slice], None] | None = None
) -> Tensor:
    """[3, B]    deltas: [B, T, r]   inputs: [B, T, in]   inverse: 1 / (Λ + λ)  [r, in]   work: [2, _], overwritten

    add: to W of some documents.
    """
    n, size = len(deltas), inverse.numel()
    step = max(1, min(n, work.shape[1] // size))  # documents at once: small layers are not worth a call each
    found = deltas.new_empty(3, n)
    cells = list(zip(*(row.unbind() for row in found), strict=True))
    W, Y = work[:, : step * size].view(2, step, *inverse.shape)
    flat = list(zip(W.flatten(1).unbind(), Y.flatten(1).unbind(), strict=True))
    start = 0
    for left, right in zip(deltas.mT.split(step), inputs.split(step), strict=True):
        some = slice(start, start + len(left))
        start = some.stop
        if len(left) < step:
            W, Y = W[: len(left)], Y[: len(left)]
        torch.bmm(left, right, out=W)
        if add is not None:
            add(W, some)
        torch.mul(W, inverse, out=Y)
        if found.is_cuda:
            for row, (one, other) in zip(found, ((W, W), (W, Y), (Y, Y)), strict=True):
                row[some] = torch.linalg.vecdot(one.flatten(1), other.flatten(1))
            continue
        for (ww, wy, yy), (w, y) in zip(cells[some], flat, strict=False):
            torch.dot(w, w, out=ww)  # of two vectors: a batched one takes three times as long
            torch.dot(w, y, out=wy)
            torch.dot(y, y, out=yy)
    return found

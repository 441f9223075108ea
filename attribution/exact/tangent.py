"""Forward-mode differentiation: how the logits of documents move when the parameters move along queries' directions.

A linear layer adds `P a` to the tangent of its output, so the parameters themselves need no tangent, and every row of a
batch can move along a direction of its own.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from attribution.loading.attention import plain_attention
from attribution.model.head import capped, uncapped
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch
from attribution.passes.capture import widened_input
from attribution.passes.embedding import places
from attribution.query.directions import Directions

Runs = Sequence[tuple[int, slice]]  # a direction, and the rows that move along it


def logits_and_tangent(
    tracked: Tracked, directions: Directions, queries: Sequence[int], batch: Batch
) -> tuple[Tensor, Tensor]:
    """Logits at the targets of a batch, in row order, and their derivative where row b moves along direction
    queries[b]  # [n, V] each"""
    runs = _runs(queries)
    by_row = [(q, slice(rows.start * batch.n_windows, rows.stop * batch.n_windows)) for q, rows in runs]
    with torch.no_grad(), warnings.catch_warnings(), plain_attention(tracked.loaded.model), forward_ad.dual_level():
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)  # torch's own use
        embedded = tracked.embedding_module(batch.rows)
        if tracked.embedding:
            embedded = forward_ad.make_dual(embedded, _looked_up(tracked, directions, by_row, batch.rows).to(embedded))
        with _moving(tracked, directions, by_row):
            output = tracked.loaded.model.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        hidden, moved = (batch.joined(each) for each in forward_ad.unpack_dual(output))
        raw = tracked.raw_logits(hidden[batch.is_target])
        tangent = tracked.widened(moved[batch.is_target]) @ tracked.head_weight.T
        _add_head(tangent, tracked, directions, runs, tracked.head_input(hidden), batch.is_target)
        return capped(raw, tracked.softcap), uncapped(tangent, raw, tracked.softcap)


def _runs(queries: Sequence[int]) -> Runs:
    """Neighbouring rows of one query together."""
    found, start = [], 0
    for q, rows in groupby(queries):
        stop = start + len(list(rows))
        found.append((q, slice(start, stop)))
        start = stop
    return found


@contextmanager
def _moving(tracked: Tracked, directions: Directions, runs: Runs) -> Iterator[None]:
    """Every tracked linear layer adds what its own movement does to its output."""
    n_rows = runs[-1][1].stop

    def hook(n: int, layer: Layer) -> object:
        def add(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
            primal = forward_ad.unpack_dual(args[0]).primal
            a = widened_input(tracked, primal.reshape(n_rows, -1, primal.shape[-1]), layer)  # [B, T, in]
            own, of = a.new_empty(*a.shape[:2], layer.n_out), directions.linear[n]
            for q, rows in runs:
                own[rows] = of.apply(q, a[rows])
            own = own.view_as(output)
            moved: Tensor = output + forward_ad.make_dual(torch.zeros_like(own).to(output), own.to(output.dtype))
            return moved

        return add

    hooks = [
        module.register_forward_hook(hook(n, layer))  # type: ignore[arg-type]
        for n, (module, layer) in enumerate(zip(tracked.modules(), tracked.linear, strict=True))
    ]
    try:
        yield
    finally:
        for each in hooks:
            each.remove()


def _looked_up(tracked: Tracked, directions: Directions, runs: Runs, ids: Tensor) -> Tensor:
    """What the movement of the embedding does to the looked-up rows  # [B, T, H]"""
    block = directions.embedding[0]
    found = tracked.zeros(*ids.shape, block.width)
    for q, mine in runs:
        own, P = block.query(q)
        at = places(ids[mine], own, tracked.embedding[0].n_out)  # [b, T], −1 for a row that does not move
        moves = (at >= 0) & tracked.learns(ids[mine])
        found[mine][moves] = tracked.embedding_scale * P[at[moves]]
    return found


def _add_head(
    tangent: Tensor, tracked: Tracked, directions: Directions, runs: Runs, hidden: Tensor, is_target: Tensor
) -> None:
    """What the movement of the head does to the logits, in place.    tangent: [n, V]   hidden: [B, T, H]"""
    if not tracked.embedding:
        return
    block = directions.embedding[-1]
    start = 0
    for q, rows in runs:
        h = hidden[rows][is_target[rows]]
        own, P = block.query(q)
        tangent[start : start + len(h)].index_add_(1, own, h @ P.T)
        start += len(h)

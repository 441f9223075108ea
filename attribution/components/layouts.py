"""How the heads lie in a layer that makes queries, keys and values together, and neurons in one that makes gate and up.

The names of an architecture do not tell it. It is measured in the first block: what a head wrote at the last token has
a gradient in its own query there, and in its own key and value at that token and before; in nothing else. That gradient
is zero exactly, not nearly. Of neurons, the signs of some gradients are turned, and so must those of their rows be.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from attribution.model.short_pass import short_ids
from attribution.model.tracked import Tracked

Layout = Callable[[int, int, int], NDArray[np.int64]]  # heads, kv heads, width -> component of every row  # [n_out]


def one_after_the_other(n_heads: int, n_kv_heads: int, width: int) -> NDArray[np.int64]:
    """All queries, all keys, all values (GPT-2, Phi-3)."""
    keys = n_heads + np.arange(n_kv_heads)
    return np.repeat(np.concatenate([np.arange(n_heads), keys, keys]), width)


def by_group(n_heads: int, n_kv_heads: int, width: int) -> NDArray[np.int64]:
    """Of every key–value head the queries that read it, its key, its value (GPT-NeoX, Bloom, Falcon)."""
    queries = np.arange(n_heads).reshape(n_kv_heads, -1)  # [kv, heads of it]
    keys = n_heads + np.arange(n_kv_heads)[:, None]
    return np.repeat(np.concatenate([queries, keys, keys], axis=1).reshape(-1), width)


LAYOUTS: dict[str, Layout] = {"one after the other": one_after_the_other, "by group": by_group}


def layout_that_fits(tracked: Tracked, fused: str, out: str, n_heads: int, n_kv_heads: int, width: int) -> str | None:
    """Which of LAYOUTS a fused layer has, or None.    fused, out: names of the modules of one block"""
    with _seen(tracked, fused, out) as (made, read):
        later = read.reshape(-1, read.shape[-1])[-1]  # [H · width] of the last token
        reached = []
        for head in range(n_heads):
            mine = later[head * width : (head + 1) * width].sum()
            [gradient] = torch.autograd.grad(mine, made, retain_graph=True)
            reached.append(gradient.reshape(-1, made.shape[-1]) != 0)  # [T, n_out]
    there = torch.stack(reached).cpu().numpy()  # [heads, T, n_out]
    here, before = there[:, -1], there[:, :-1].any(axis=1)
    for name, layout in LAYOUTS.items():
        own = layout(n_heads, n_kv_heads, width)
        query = own == np.arange(n_heads)[:, None]  # [heads, n_out]
        key = own == n_heads + np.arange(n_heads)[:, None] // (n_heads // n_kv_heads)
        inside = not (here & ~(query | key)).any() and not (before & ~key).any()
        if inside and (here & query).any(axis=1).all() and (before & key).any(axis=1).all():
            return name
    return None


def halves(tracked: Tracked, fused: str, out: str) -> bool:
    """Whether the rows of a layer are all gates, then all ups, or the other way round, each in the order of `out`."""
    with _seen(tracked, fused, out) as (made, read):
        number = torch.arange(read.shape[-1], device=read.device)
        [plain] = torch.autograd.grad(read, made, torch.ones_like(read), retain_graph=True)
        for bit in range(len(number).bit_length()):  # a row of another neuron differs from it in one bit at least
            signs = (1 - 2 * (number >> bit & 1)).to(read.dtype)
            [turned] = torch.autograd.grad(read, made, signs.expand_as(read), retain_graph=True)
            if not torch.equal(turned, plain * signs.repeat(2)):
                return False
    return True


@contextmanager
def _seen(tracked: Tracked, fused: str, out: str) -> Iterator[tuple[Tensor, Tensor]]:
    """What one module makes of a short text and what another reads, with the graph between them."""
    model, seen = tracked.loaded.model, dict[str, Tensor]()
    by_name = dict(model.named_modules())

    def made(_module: nn.Module, _args: tuple[Tensor, ...], output: Tensor) -> None:
        seen["made"] = output

    def read(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen["read"] = args[0]

    hooks = [by_name[fused].register_forward_hook(made), by_name[out].register_forward_pre_hook(read)]
    try:
        with torch.enable_grad():
            embedded = tracked.embedding_module(short_ids(tracked.loaded)).detach().requires_grad_()
            model.base_model(inputs_embeds=embedded, use_cache=False)
            yield seen["made"], seen["read"]
    finally:
        for hook in hooks:
            hook.remove()

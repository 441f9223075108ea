"""How what a component writes reaches the residual stream and the head.

    x_b = x_{b−1} + m A_b(o_b z_b + bias) + m M_b(down_b a_b + bias)        hidden = N(x_last)

z: what the heads of block b wrote, side by side; a: activations of its neurons. A, M: norms of some models (Gemma 2 and
3, OLMo 2), else nothing; m: the residual multiplier of some (Granite), else 1. Blocks whose two halves read the same
(GPT-NeoX, Falcon) are the same sum. Names do not tell any of this: it is found in one short pass, and a model whose
stream is not this sum gives the reason. A norm with its scale s held at what it was is linear:

    N(x) = s (x − c mean(x)) ⊙ g + β        s: a number of each token; c: 1 for LayerNorm, 0 for RMSNorm
    ⟨d, N(x)⟩ = ⟨s (d ⊙ g − c mean(d ⊙ g)), x⟩ + ⟨d, β⟩
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from attribution.components.units import NotSplit, Units
from attribution.model.short_pass import short_ids
from attribution.model.tracked import TOLERANCE, Tracked
from attribution.prompt.saliency.hooks import blocks


@dataclass(frozen=True)
class FrozenNorm:
    """N without its scale."""

    gain: Tensor  # g [H]
    bias: Tensor  # β [H]
    centred: bool  # c

    def scale(self, x: Tensor, made: Tensor) -> Tensor:
        """s of every token, from what went in and what came out  # [.., H], [.., H] -> [..]"""
        u = self.unscaled(x)
        return ((made - self.bias) * u).sum(dim=-1) / u.square().sum(dim=-1).clamp(min=torch.finfo(u.dtype).tiny)

    def unscaled(self, x: Tensor) -> Tensor:
        """(x − c mean(x)) ⊙ g  # [.., H] -> [.., H]"""
        return (x - x.mean(dim=-1, keepdim=True) if self.centred else x) * self.gain

    def pulled(self, direction: Tensor, scale: Tensor) -> Tensor:
        """What a direction behind the norm is before it: s (d ⊙ g − c mean(d ⊙ g))  # [.., H], [..] -> [.., H]"""
        d = direction * self.gain
        return scale[..., None] * (d - d.mean(dim=-1, keepdim=True) if self.centred else d)


@dataclass(frozen=True)
class Stream:
    """The modules between a component and the head, by name."""

    blocks: tuple[str, ...]
    after_heads: tuple[str | None, ...]  # A of each block
    after_neurons: tuple[str | None, ...]  # M of each block
    final: str  # N
    norms: Mapping[str, FrozenNorm]  # all of these
    multiplier: float = 1.0  # m


@dataclass(frozen=True)
class _Seen:
    """What a module was given and what it made  # [T, n], copied: some models (Falcon) add to it in place"""

    given: Tensor
    made: Tensor
    norm: bool  # by the name of its class


Pass = Mapping[str, _Seen]


def find_stream(tracked: Tracked, units: Units | NotSplit) -> Stream | NotSplit:
    """Found in one forward pass over a short text, in which the sum above must come out."""
    if isinstance(units, NotSplit):
        return units
    seen, hidden = _short_pass(tracked)
    names = block_names(tracked)
    final = _norm(seen, seen[names[-1]].made, lambda name: torch.equal(seen[name].made, hidden))
    if final is None:
        return NotSplit("between its last block and its head stands something else than a norm")
    after_heads, after_neurons, factors = [], [], []
    for name, heads, neurons in zip(names, units.heads_into, units.neurons_into, strict=True):
        wrote, after = zip(*(_behind(seen, name, into) for into in (heads, neurons)), strict=True)
        after_heads.append(after[0])
        after_neurons.append(after[1])
        factors.append(_factor(tracked, seen[name].made - seen[name].given, wrote[0] + wrote[1]))
    if len(set(factors)) > 1 or factors[0] is None:
        return NotSplit("its residual stream is not the sum of what attention and MLP write")
    norms = {name: frozen_norm(tracked, name) for name in (*after_heads, *after_neurons, final) if name is not None}
    if not all(_is_that(tracked, norm, seen[name]) for name, norm in norms.items()):
        return NotSplit("its norms are neither LayerNorm nor RMSNorm")
    return Stream(tuple(names), tuple(after_heads), tuple(after_neurons), final, norms, factors[0])


def last_norm(tracked: Tracked) -> str | None:
    """The norm between the last block and the head; None where something else stands there."""
    seen, hidden = _short_pass(tracked)
    return _norm(seen, seen[block_names(tracked)[-1]].made, lambda name: torch.equal(seen[name].made, hidden))


def frozen_norm(tracked: Tracked, name: str) -> FrozenNorm:
    """Read off what it makes of zeros, of equal numbers, and of +1 and −1 in turn: classes of norms are many."""
    module = tracked.loaded.model.get_submodule(name)
    zeros = torch.zeros(tracked.width, dtype=tracked.loaded.model.dtype, device=tracked.device)
    turns = torch.ones_like(zeros)
    turns[1::2] = -1
    turns -= turns.mean()
    with torch.no_grad():
        bias, equal, turned = (tracked.widened(module(x)) for x in (zeros, zeros + 1, turns))
    gain = (turned - bias) / tracked.widened(turns)
    return FrozenNorm(gain, bias, centred=bool((equal - bias).norm() < 0.1 * gain.norm()))


def into_stream(tracked: Tracked, name: str) -> tuple[Tensor, Tensor | None]:
    """Weight [H, n] and bias [H] of a linear module."""
    module = tracked.loaded.model.get_submodule(name)
    weight = tracked.widened(torch.as_tensor(module.weight).detach())
    bias = None if module.bias is None else tracked.widened(torch.as_tensor(module.bias).detach())
    return (weight.T if isinstance(module, Conv1D) else weight), bias


def block_names(tracked: Tracked) -> list[str]:
    """Of the modules of all blocks, in their order."""
    stack = {module: depth for depth, module in enumerate(blocks(tracked.loaded.model))}
    return [name for name, module in tracked.loaded.model.named_modules() if module in stack]


def first_tensor(of: object) -> Tensor:
    """What a block makes, which some models return with other things."""
    first = of[0] if isinstance(of, tuple) else of
    if not isinstance(first, Tensor):
        raise TypeError(f"expected a tensor, found {type(first).__name__}")
    return first


def given_tensor(args: tuple[object, ...], named: Mapping[str, object]) -> Tensor:
    """What a block is given."""
    return first_tensor(args[0] if args else named["hidden_states"])


def _short_pass(tracked: Tracked) -> tuple[Pass, Tensor]:
    """What went in and came out of every module, and the last hidden state."""
    model = tracked.loaded.model
    with torch.no_grad(), _recorded(model) as seen:
        hidden = model.base_model(input_ids=short_ids(tracked.loaded), use_cache=False).last_hidden_state
    return seen, hidden.reshape(-1, hidden.shape[-1])


@contextmanager
def _recorded(model: nn.Module) -> Iterator[dict[str, _Seen]]:
    seen: dict[str, _Seen] = {}

    def keeping(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, args: tuple[object, ...], named: dict[str, object], output: object) -> None:
            made = output[0] if isinstance(output, tuple) else output
            given = args[0] if args else named.get("hidden_states")
            if isinstance(made, Tensor) and isinstance(given, Tensor) and given.is_floating_point():
                of = given.reshape(-1, given.shape[-1]).clone(), made.reshape(-1, made.shape[-1]).clone()
                seen[name] = _Seen(*of, norm="norm" in type(module).__name__.lower())

        return keep

    hooks = [each.register_forward_hook(keeping(name), with_kwargs=True) for name, each in model.named_modules()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _norm(seen: Pass, given: Tensor, fits: Callable[[str], bool]) -> str | None:
    """The norm that was given just this."""
    for name, of in seen.items():
        if of.norm and of.given.shape == given.shape and torch.equal(of.given, given) and fits(name):
            return name
    return None


def _behind(seen: Pass, block: str, into: str) -> tuple[Tensor, str | None]:
    """What reaches the stream of what a module made, and the norm of its block that it passes on the way."""
    made = seen[into].made
    norm = _norm(seen, made, lambda name: name.startswith(f"{block}."))
    return (made, None) if norm is None else (seen[norm].made, norm)


def _is_that(tracked: Tracked, norm: FrozenNorm, of: _Seen) -> bool:
    """Whether a norm makes what its frozen form does."""
    x, made = tracked.widened(of.given), tracked.widened(of.made)
    again = norm.scale(x, made)[:, None] * norm.unscaled(x) + norm.bias
    return bool((again - made).norm() <= TOLERANCE[tracked.loaded.model.dtype] * made.norm())


def _factor(tracked: Tracked, found: Tensor, wrote: Tensor) -> float | None:
    """m in found = m · wrote: 1, or the multiplier that the configuration names; None where it is no multiple."""
    near = TOLERANCE[tracked.loaded.model.dtype]
    settings = vars(tracked.loaded.settings).items()
    said = [float(value) for name, value in settings if "multiplier" in name and isinstance(value, float | int)]
    for m in (1.0, *said):
        if math.isfinite(m) and bool((found - m * wrote).norm() <= near * found.norm()):
            return m
    return None

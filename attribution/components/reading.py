"""One forward pass over a prompt and its answer, and all that direct and total effects and the lens are made of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.components.stream import Stream, block_names, first_tensor, given_tensor
from attribution.components.units import Units
from attribution.errors import BadInput
from attribution.model.tracked import Tracked


@dataclass(frozen=True)
class States:
    """The residual stream where each of K tokens is decided."""

    at: Tensor  # [K] the position before each token
    labels: Tensor  # [K] ids of the tokens
    stream: Tensor  # [L + 1, K, H] what the first block is given, then what each block makes


@dataclass(frozen=True)
class Reading(States):
    """With what components wrote at all S positions; these and `hidden` keep their graph where it was asked for."""

    written: tuple[Tensor, ...]  # z of each block [1, S, heads · width], what its heads wrote; flat layers: [S, ..]
    active: tuple[Tensor, ...]  # a of each block [1, S, neurons]
    norms: Mapping[str, tuple[Tensor, Tensor]]  # what the norms of the stream were given and made  # [K, H] each
    hidden: Tensor  # [S, H] what the head reads


def read_states(tracked: Tracked, ids: Sequence[int], first: int) -> States:
    """Of the tokens `ids[first:]`, of any model.

    ids: prompt and answer as the model read them. Raises BadInput where no token is left to explain.
    """
    read, at, labels = _placed(tracked, ids, first)
    with torch.no_grad(), _hooked(tracked, block_names(tracked), (), ()) as seen:
        tracked.loaded.model.base_model(input_ids=read, use_cache=False)
    return States(at, labels, torch.stack([each[at] for each in seen.stream]))


def read(
    tracked: Tracked, units: Units, stream: Stream, ids: Sequence[int], first: int, *, graph: bool = False
) -> Reading:
    """Of the tokens `ids[first:]`.

    ids: prompt and answer as the model read them. Raises BadInput where no token is left to explain.
    """
    read, at, labels = _placed(tracked, ids, first)
    into = (*units.heads_into, *units.neurons_into)
    with torch.set_grad_enabled(graph), _hooked(tracked, stream.blocks, into, list(stream.norms)) as seen:
        hidden = tracked.loaded.model.base_model(input_ids=read, use_cache=False).last_hidden_state[0]
    return Reading(
        at,
        labels,
        torch.stack([each[at] for each in seen.stream]),
        tuple(seen.into[name] for name in units.heads_into),
        tuple(seen.into[name] for name in units.neurons_into),
        {name: (given[at], made[at]) for name, (given, made) in seen.norms.items()},
        hidden,
    )


def _placed(tracked: Tracked, ids: Sequence[int], first: int) -> tuple[Tensor, Tensor, Tensor]:
    """What is read [1, S], and of each token to explain the position before it and its id  # [K], [K]"""
    if not 1 <= first < len(ids):
        raise BadInput(f"expected tokens to explain after at least one other, found {first}:{len(ids)}; check the span")
    labels = torch.tensor(tuple(ids)[first:], device=tracked.device)
    at = torch.arange(first - 1, len(ids) - 1, device=tracked.device)
    return torch.tensor([tuple(ids)[:-1]], device=tracked.device), at, labels


class _Seen:
    """What the hooks of one pass over a row of S tokens put aside."""

    def __init__(self) -> None:
        self.stream: list[Tensor] = []  # [S, H] each
        self.into: dict[str, Tensor] = {}  # [S, n] what a module was given
        self.norms: dict[str, tuple[Tensor, Tensor]] = {}  # [S, H] each


@contextmanager
def _hooked(tracked: Tracked, of_blocks: Sequence[str], into: Sequence[str], norms: Sequence[str]) -> Iterator[_Seen]:
    """The model is left without hooks whatever happens."""
    seen, module = _Seen(), tracked.loaded.model.get_submodule

    def flat(x: Tensor) -> Tensor:
        return tracked.widened(x.detach()).reshape(-1, x.shape[-1])

    def enter(_module: nn.Module, args: tuple[object, ...], named: dict[str, object]) -> None:
        seen.stream.append(flat(given_tensor(args, named)).clone())

    def leave(_module: nn.Module, _args: tuple[object, ...], output: object) -> None:
        seen.stream.append(flat(first_tensor(output)).clone())

    def taking(name: str) -> Callable[..., object]:
        def take(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x = args[0]
            if torch.is_grad_enabled() and not x.requires_grad:  # the graph begins here
                x = x.detach().requires_grad_()
            seen.into[name] = x
            return (x, *args[1:])

        return take

    def passing(name: str) -> Callable[..., None]:
        def keep(_module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            seen.norms[name] = (flat(args[0]), flat(output))

        return keep

    hooks = [module(of_blocks[0]).register_forward_pre_hook(enter, with_kwargs=True)]
    hooks += [module(name).register_forward_hook(leave) for name in of_blocks]
    hooks += [module(name).register_forward_pre_hook(taking(name)) for name in into]
    hooks += [module(name).register_forward_hook(passing(name)) for name in norms]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()

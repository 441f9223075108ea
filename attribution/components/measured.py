"""What an answer loses when components are really replaced by their mean: the truth that total effects predict.

    measured_c = log p(y) − log p(y, with x_ct = x̄_c at every position t)        nats

A component that raises the token has a positive effect, as in `total`. Replacing it changes every token of the answer,
so one row of a batch is one replacement, and a pass gives it for all tokens; blocks before it are computed only once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from attribution.components.baseline import Baseline
from attribution.components.stream import block_names, first_tensor
from attribution.components.total import Total
from attribution.components.units import HEAD, NEURON, Units
from attribution.errors import BadInput
from attribution.model.head import capped
from attribution.model.measurement import logp
from attribution.model.tracked import Tracked
from attribution.rank_correlation import spearman
from attribution.schedule import pieces

STRONGEST, RANDOM, OTHER = "strongest", "random", "other"
LOGITS = 0.25  # of the memory, for logits and what is made of them
COPIES = 3


class Component(NamedTuple):
    """A head or a neuron."""

    kind: str  # head, neuron
    depth: int
    number: int


@dataclass(frozen=True)
class Effect:
    """One component and one token, nats."""

    position: int  # of the token in the answer
    component: Component
    chosen: str  # strongest, random; other: measured because all heads are
    predicted: float  # the total effect
    measured: float


@dataclass(frozen=True)
class TopHeads:
    """log p that a token loses when its strongest heads are replaced together, and as many random ones, nats."""

    position: int
    strongest: float
    random: float


@dataclass(frozen=True)
class Measured:
    """Of an answer."""

    effects: tuple[Effect, ...]
    together: tuple[TopHeads, ...]


def measure_components(
    tracked: Tracked,
    units: Units,
    ids: Sequence[int],
    first: int,
    total: Total,
    baseline: Baseline,
    *,
    positions: Sequence[int] | None = None,
    n_heads: int = 5,
    n_neurons: int = 10,
    every_head: int = 0,
    tick: Callable[[int], None] | None = None,
) -> Measured:
    """The strongest heads and neurons of every token by the size of their total effect, and as many random others.

    ids, first: what was read for `total`.   positions: tokens of the answer; None: all.   every_head: the other heads
    as well, of a model that has at most so many: a head of large effect need not have a large gradient.   `tick(n)`
    after n replacements. Random ones are drawn for the answer as a whole, and depend on its ids alone.
    """
    K = len(total.logp)
    positions = range(K) if positions is None else positions
    chosen = {k: _chosen(units, total, k, _drawn(units, ids), n_heads, n_neurons) for k in positions}
    if units.n_blocks * units.n_heads <= every_head:
        everyone = [Component(HEAD, *divmod(i, units.n_heads)) for i in range(units.n_blocks * units.n_heads)]
        for of in chosen.values():
            of[OTHER] = [one for one in everyone if one not in of[STRONGEST] and one not in of[RANDOM]]
    sets: dict[tuple[Component, ...], int] = {}
    for of in chosen.values():
        for one in (one for some in of.values() for one in some):
            sets.setdefault((one,), len(sets))
        for name in (STRONGEST, RANDOM):
            sets.setdefault(_heads(of[name]), len(sets))
    lost = total.logp - logp_without(tracked, units, ids, first, baseline, list(sets), tick=tick)  # [R, K]
    effects = tuple(
        Effect(k, one, name, _of(total, k, one), float(lost[sets[one,], k]))
        for k, of in chosen.items()
        for name, some in of.items()
        for one in some
    )
    together = tuple(
        TopHeads(k, *(float(lost[sets[_heads(of[name])], k]) for name in (STRONGEST, RANDOM)))
        for k, of in chosen.items()
    )
    return Measured(effects, together)


@torch.no_grad()
def logp_without(
    tracked: Tracked,
    units: Units,
    ids: Sequence[int],
    first: int,
    baseline: Baseline,
    sets: Sequence[Sequence[Component]],
    *,
    tick: Callable[[int], None] | None = None,
) -> NDArray[np.floating]:
    """log p of every token of `ids[first:]` with each set of components replaced at all positions  # [R, K] nats

    Raises BadInput for a component that the model does not have.
    """
    for one in {one for each in sets for one in each}:
        _check(units, one)
    read = torch.tensor(tuple(ids)[:-1], device=tracked.device)
    labels = torch.tensor(tuple(ids)[first:], device=tracked.device)
    out = np.empty((len(sets), len(labels)))
    made = _block_outputs(tracked, read)
    begin = np.array([min((one.depth for one in each), default=units.n_blocks) for each in sets])
    for depth in np.unique(begin).tolist():
        here = np.flatnonzero(begin == depth)
        for some in pieces(len(here), len(read), tracked.batch_tokens):
            rows = here[some].tolist()
            known = _known(tracked, made[:depth], len(rows))
            with known, _replaced(tracked, units, baseline, [sets[i] for i in rows]):
                hidden = tracked.loaded.model.base_model(
                    input_ids=read.expand(len(rows), -1), use_cache=False
                ).last_hidden_state[:, first - 1 :]  # [B, K, H]
            out[rows] = _logp(tracked, hidden, labels).cpu().numpy()
            if tick is not None:
                tick(len(rows))
    return out


def agreement(effects: Sequence[Effect], kind: str) -> float:
    """Rank correlation of predicted and measured effects of heads, or of neurons, strongest and random ones; NaN where
    either is constant."""
    some = [each for each in effects if each.component.kind == kind and each.chosen != OTHER]
    of = [(each.predicted, each.measured) for each in some]
    return spearman([predicted for predicted, _ in of], [found for _, found in of], constant=float("nan"))


def _logp(tracked: Tracked, hidden: Tensor, labels: Tensor) -> Tensor:
    """[B, K, H] -> [B, K]"""
    B, K, H = hidden.shape
    rows, of = hidden.reshape(-1, H), labels.repeat(B)
    parts = pieces(B * K, COPIES * tracked.n_rows, tracked.schedule.share(LOGITS) // 4)
    found = [logp(capped(tracked.raw_logits(rows[some]), tracked.softcap), of[some]) for some in parts]
    return torch.cat(found).view(B, K)


def _block_outputs(tracked: Tracked, read: Tensor) -> list[object]:
    """What each block makes of the text as it is, in the model's own form."""
    made: list[object] = []
    names = block_names(tracked)
    hooks = [
        tracked.loaded.model.get_submodule(name).register_forward_hook(
            lambda _module, _args, output: made.append(output)
        )
        for name in names
    ]
    try:
        tracked.loaded.model.base_model(input_ids=read[None], use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return made


@contextmanager
def _known(tracked: Tracked, made: Sequence[object], n: int) -> Iterator[None]:
    """Inside the `with`, the first blocks do not compute: what they make of n equal rows is known."""
    modules = [tracked.loaded.model.get_submodule(name) for name in block_names(tracked)[: len(made)]]
    for module, of in zip(modules, made, strict=True):
        known = of
        if module is modules[-1]:  # the only one whose output is read
            rows = first_tensor(of).repeat(n, 1, 1)
            known = (rows, *of[1:]) if isinstance(of, tuple) else rows
        module.forward = lambda *_args, known=known, **_named: known  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in modules:
            del module.forward


@contextmanager
def _replaced(
    tracked: Tracked, units: Units, baseline: Baseline, sets: Sequence[Sequence[Component]]
) -> Iterator[None]:
    """Inside the `with`, row r of a batch has the components of sets[r] at their mean."""
    where: dict[tuple[str, int], tuple[list[int], list[int]]] = {}  # kind and depth -> rows, numbers
    for row, each in enumerate(sets):
        for one in each:
            rows, numbers = where.setdefault((one.kind, one.depth), ([], []))
            rows.append(row)
            numbers.append(one.number)

    def replacing(mean: Tensor, width: int, rows: list[int], numbers: list[int]) -> Callable[..., tuple[Tensor, ...]]:
        def replace(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x = args[0].reshape(len(sets), -1, mean.shape[-1] // width, width).clone()  # [B, S, components, width]
            x[rows, :, numbers] = mean.view(-1, 1, width)[numbers].to(x.dtype)
            return (x.view(args[0].shape), *args[1:])

        return replace

    hooks = []
    for (kind, depth), (rows, numbers) in where.items():
        of_heads = kind == HEAD
        into = (units.heads_into if of_heads else units.neurons_into)[depth]
        mean = (baseline.heads if of_heads else baseline.neurons)[depth]
        replace = replacing(mean, units.head_width if of_heads else 1, rows, numbers)
        hooks.append(tracked.loaded.model.get_submodule(into).register_forward_pre_hook(replace))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _check(units: Units, one: Component) -> None:
    n = {HEAD: units.n_heads, NEURON: units.n_neurons}.get(one.kind, 0)
    if not (0 <= one.depth < units.n_blocks and 0 <= one.number < n):
        raise BadInput(
            f"expected head:0.0 to head:{units.n_blocks - 1}.{units.n_heads - 1} or neuron:0.0 to "
            f"neuron:{units.n_blocks - 1}.{units.n_neurons - 1}, found {one.kind}:{one.depth}.{one.number}"
        )


def _drawn(units: Units, ids: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    """All heads and all neurons in a random order."""
    generator = np.random.default_rng(tuple(ids))
    L = units.n_blocks
    return {HEAD: generator.permutation(L * units.n_heads), NEURON: generator.permutation(L * units.n_neurons)}


def _chosen(
    units: Units, total: Total, k: int, drawn: dict[str, NDArray[np.int64]], n_heads: int, n_neurons: int
) -> dict[str, list[Component]]:
    """Of one token; where a model has too few for both, the strongest are fewer than were asked for."""
    chosen: dict[str, list[Component]] = {STRONGEST: [], RANDOM: []}
    for kind, of, most in ((HEAD, total.heads[k], n_heads), (NEURON, total.neurons[k], n_neurons)):
        n = min(most, of.size // 2)
        strongest = np.argsort(-np.abs(of).reshape(-1), kind="stable")[:n]
        random = drawn[kind][~np.isin(drawn[kind], strongest)][:n]
        for name, numbers in ((STRONGEST, strongest), (RANDOM, random)):
            chosen[name] += [Component(kind, *divmod(int(i), of.shape[1])) for i in numbers]
    return chosen


def _heads(components: Sequence[Component]) -> tuple[Component, ...]:
    return tuple(sorted(one for one in components if one.kind == HEAD))


def _of(total: Total, k: int, one: Component) -> float:
    return float((total.heads if one.kind == HEAD else total.neurons)[k, one.depth, one.number])

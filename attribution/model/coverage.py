"""How many of a model's parameters are explained, how many belong to norms, and which others are left out.

Of an adapter that stands beside its base also how many its training left as they were: `frozen`.
"""

import re
from collections import Counter
from dataclasses import dataclass

from attribution.model.layers import linear_layers
from attribution.model.tracked import Tracked

EXPLAINED, NORMS, FROZEN, OTHERS = "explained", "norms", "frozen", "not explained"


@dataclass(frozen=True)
class Covered:
    """Parameters of one kind; `name` stands for all blocks of the model, numbers in it are `*`."""

    kind: str  # explained, norms, frozen, not explained
    name: str
    n_params: int


def coverage(tracked: Tracked) -> tuple[Covered, ...]:
    """Every parameter of the model once, those of most first."""
    model = tracked.loaded.model
    explained = {f"{layer.name}.{what}" for layer in tracked.layers for what in ("weight", "bias")[: 1 + layer.bias]}
    norms = {name for name, module in model.named_modules() if "norm" in type(module).__name__.lower()}
    frozen = _frozen(tracked)
    counted: Counter[tuple[str, str]] = Counter()
    for name, parameter in model.named_parameters():  # what is tied is counted once
        owner = name.rpartition(".")[0]
        kind = EXPLAINED if name in explained else FROZEN if name in frozen else NORMS if owner in norms else OTHERS
        counted[kind, re.sub(r"\.\d+(?=\.)", ".*", name)] += parameter.numel()
    return tuple(Covered(kind, name, n) for (kind, name), n in counted.most_common())


def _frozen(tracked: Tracked) -> frozenset[str]:
    """Parameters that an adapter's training did not move."""
    trained, model = tracked.loaded.trained, tracked.loaded.model
    if trained is None:
        return frozenset()
    matrices = {f"{name}.weight" for name in linear_layers(model)}
    return frozenset(name for name, _ in model.named_parameters()) - matrices - trained.whole - trained.merged


def share(covered: tuple[Covered, ...], kind: str) -> float:
    """Of all parameters, those of a kind."""
    return sum(of.n_params for of in covered if of.kind == kind) / max(1, sum(of.n_params for of in covered))

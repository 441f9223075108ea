"""How many of a model's parameters are explained, how many belong to norms, and which others are left out."""

import re
from collections import Counter
from dataclasses import dataclass

from attribution.model.tracked import Tracked

EXPLAINED, NORMS, OTHERS = "explained", "norms", "not explained"


@dataclass(frozen=True)
class Covered:
    """Parameters of one kind; `name` stands for all blocks of the model, numbers in it are `*`."""

    kind: str  # explained, norms, not explained
    name: str
    n_params: int


def coverage(tracked: Tracked) -> tuple[Covered, ...]:
    """Every parameter of the model once, those of most first."""
    model = tracked.loaded.model
    explained = {f"{layer.name}.{what}" for layer in tracked.layers for what in ("weight", "bias")[: 1 + layer.bias]}
    norms = {name for name, module in model.named_modules() if "norm" in type(module).__name__.lower()}
    counted: Counter[tuple[str, str]] = Counter()
    for name, parameter in model.named_parameters():  # what is tied is counted once
        owner = name.rpartition(".")[0]
        kind = EXPLAINED if name in explained else NORMS if owner in norms else OTHERS
        counted[kind, re.sub(r"\.\d+(?=\.)", ".*", name)] += parameter.numel()
    return tuple(Covered(kind, name, n) for (kind, name), n in counted.most_common())


def share(covered: tuple[Covered, ...], kind: str) -> float:
    """Of all parameters, those of a kind."""
    return sum(of.n_params for of in covered if of.kind == kind) / max(1, sum(of.n_params for of in covered))

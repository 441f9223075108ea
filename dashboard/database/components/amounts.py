"""What each component amounts to over the chosen tokens: the sum of its rows, token by token. Pure.

A component that has no row is unknown, never zero: a neuron that was not kept, a head that was not replaced.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dashboard.database.components.name import Component
from dashboard.database.components.records import Effect, Floats, Replaced, Split, Taught


@dataclass(frozen=True)
class Amounts:
    """By component, in `unit`. mlp: by block, the sum over all its neurons; known: tokens that a component has rows of,
    where that may be fewer than others have; others: what is in no head and no neuron, by its name; total: of all."""

    unit: str
    parts: dict[Component, float]
    mlp: dict[int, float] = field(default_factory=dict)
    known: dict[Component, int] = field(default_factory=dict)
    others: dict[str, float] = field(default_factory=dict)
    total: float | None = None

    def of(self, kind: str) -> dict[Component, float]:
        """The components of one kind, the largest sizes first."""
        found = [each for each in self.parts.items() if each[0].kind == kind]
        return dict(sorted(found, key=lambda each: (-abs(each[1]), each[0])))

    def neurons_of(self, depth: int) -> float | None:
        """The sum over the kept neurons of a block; None where none is kept."""
        found = [value for each, value in self.parts.items() if each.kind == "neuron" and each.depth == depth]
        return sum(found) if found else None


def direct(rows: Sequence[Effect], split: Split) -> Amounts | None:
    """What each component writes to the logit."""
    if not rows:
        return None
    sums = _Sums(split)
    for row in rows:
        sums.add("head", row.direct_heads)
        sums.add("neuron", row.direct_neurons, row.neurons)
    embedding, biases = sum(row.direct_embedding for row in rows), sum(row.direct_bias for row in rows)
    return Amounts(
        "logits",
        sums.parts,
        _by_block([row.direct_mlp for row in rows]),
        sums.known,
        {"embedding": embedding, "biases": biases},
        sum(row.logit for row in rows),
    )


def total(rows: Sequence[Effect], split: Split) -> Amounts | None:
    """What each component does to log p, to first order."""
    if not any(row.total_heads.size for row in rows):
        return None
    sums = _Sums(split)
    for row in rows:
        sums.add("head", row.total_heads)
        sums.add("neuron", row.total_neurons, row.neurons)
    return Amounts("nats", sums.parts, _by_block([row.total_mlp for row in rows]), sums.known)


def measured(rows: Sequence[Replaced]) -> Amounts | None:
    """What log p lost when a component was really replaced."""
    return _of_replaced(rows, lambda row: row.measured)


def predicted(rows: Sequence[Replaced]) -> Amounts | None:
    """What the total effects of the same components said before."""
    return _of_replaced(rows, lambda row: row.predicted)


def taught(rows: Sequence[Taught], split: Split, mlp: Mapping[int, float], factor: float, unit: str) -> Amounts | None:
    """What documents did through each component, in `unit`, to which an influence comes when it is multiplied by
    `factor`. mlp: by block, from their layers, biases included."""
    if not rows:
        return None
    sums = _Sums(split)
    for row in rows:
        sums.add("head", row.head_scores * factor)
        sums.add("kv_head", row.kv_head_scores * factor)
        sums.add("neuron", row.neuron_scores * factor, row.neurons)
    others = {
        "neurons not kept": factor * sum(row.neuron_rest for row in rows),
        "biases": factor * sum(row.bias_score for row in rows),
    }
    parts = sums.parts
    whole = sum(parts.values()) + sum(others.values())
    return Amounts(unit, parts, dict(mlp), {}, others, whole)


def through(rows: Iterable[Taught], split: Split, component: Component) -> dict[str, tuple[float, int]]:
    """document_id -> (nats through one component, the number of tokens of which that is known)."""
    place = component.depth * split.width(component.kind) + component.number
    found: dict[str, tuple[float, int]] = {}
    for row in rows:
        value = _score(row, component.kind, place)
        if value is not None:
            before, n = found.get(row.document_id, (0.0, 0))
            found[row.document_id] = (before + value, n + 1)
    return found


def _score(row: Taught, kind: str, place: int) -> float | None:
    if kind == "neuron":
        return float(row.neuron_scores[row.neurons.index(place)]) if place in row.neurons else None
    scores = row.head_scores if kind == "head" else row.kv_head_scores
    return float(scores[place]) if place < scores.size else None


class _Sums:
    """The sum of each component, and the number of rows that it is in."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self.whole: dict[str, tuple[Floats, int]] = {}  # kinds of which every component has a value
        self.some: dict[Component, tuple[float, int]] = {}

    def add(self, kind: str, values: Floats, places: Sequence[int] | None = None) -> None:
        """Of all components of a kind, or of those in these places."""
        if places is None:
            before, n = self.whole.get(kind, (np.zeros(values.size), 0))
            self.whole[kind] = (before + values, n + 1)
            return
        for place, value in zip(places, values, strict=False):
            component = self.split.at(kind, place)
            total, n = self.some.get(component, (0.0, 0))
            self.some[component] = (total + float(value), n + 1)

    @property
    def parts(self) -> dict[Component, float]:
        of = {self.split.at(k, i): float(x) for k, (values, _) in self.whole.items() for i, x in enumerate(values)}
        return of | {component: total for component, (total, _) in self.some.items()}

    @property
    def known(self) -> dict[Component, int]:
        of = {self.split.at(kind, i): n for kind, (values, n) in self.whole.items() for i in range(values.size)}
        return of | {component: n for component, (_, n) in self.some.items()}


def _by_block(rows: Sequence[Floats]) -> dict[int, float]:
    arrays = [row for row in rows if row.size]
    return dict(enumerate(np.sum(arrays, axis=0).tolist())) if len({row.size for row in arrays}) == 1 else {}


def _of_replaced(rows: Sequence[Replaced], value: Callable[[Replaced], float]) -> Amounts | None:
    if not rows:
        return None
    sums: dict[Component, float] = {}
    known: dict[Component, int] = {}
    for row in rows:
        sums[row.component] = sums.get(row.component, 0.0) + value(row)
        known[row.component] = known.get(row.component, 0) + 1
    return Amounts("nats", sums, {}, known)

"""The three passes over the linear layers: covariances, their eigenvectors, and corrected eigenvalues in their basis.

    A = E[a aᵀ] = Q_A · Q_Aᵀ     S = E[δ δᵀ] = Q_S · Q_Sᵀ     Λ = E[(Q_Sᵀ ∇L Q_A)²]          George et al. 2018

kronfluence adds up the first. One sequence of random numbers draws the labels of both passes over documents; layers
that are fitted one group after the other have the same labels. Layers that read the same input have one A and one Q_A,
which stand under the name of the first of them.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from attribution.curvature.fit_eigenvalues import add_eigenvalues
from attribution.curvature.fit_plan import Batches, FitPlan, try_longest
from attribution.curvature.kronfluence import Columns, Wrapped, windows
from attribution.curvature.parts import GENERATOR, Kept, Progress, Sums, add_up, make_each, named
from attribution.curvature.store import INPUTS, LAMBDA, OUTPUTS
from attribution.curvature.work import Numbers, Work, cut
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row

_EIGENVECTORS = "eigenvectors: layer"


class LinearFit:
    """One fit of the linear layers; kronfluence's modules are made when they are needed."""

    def __init__(
        self, tracked: Tracked, sample: Sequence[Row], fewer: Sequence[Row], seed: int, work: Work, plan: FitPlan
    ) -> None:
        self._tracked, self._seed, self._work, self._plan = tracked, seed, work, plan
        self._rows, self._fewer, self._n = windows(sample), windows(fewer), len(sample)
        self._n_windows = 2 if sample[0].preference is not None else 1
        self._batches = Batches(plan.tokens)

    def run(self, kept: Kept, most: float, progress: Progress) -> dict[str, Columns]:
        """Eigenvectors by kind and layer, Q_A of the layers that read on with the first of them, and sums of squares;
        what is kept of them is read when it is used. `most`: multiply-adds of a part, about."""
        try_longest(self._tracked, self._rows, self._batches, lambda what: progress.say(0.0, what))
        vectors: Sums = {}
        for n, layers in enumerate(self._plan.covariances):
            vectors |= self._eigenvectors(n, layers, kept, most, progress)
        state, given = vectors.pop(GENERATOR), by_kind(vectors)
        sums: Sums = {}
        for n, layers in enumerate(self._plan.eigenvalues):
            sums |= self._eigenvalues(n, layers, given, state, kept, most, progress)
        return given | by_kind(sums)

    def _eigenvectors(self, n: int, layers: range, kept: Kept, most: float, progress: Progress) -> Sums:
        """Eigenvectors of some layers, and where the labels go on."""
        what = _row_of("covariances", n, self._plan.covariances)
        costs = self._work.covariances / len(self._plan.covariances)
        first = named("covariances", cut(costs, self._batches.starts(self._rows), most), self._n, layers)
        second = named("eigenvectors", _cut_layers(self._work.eigenvectors, layers, most), self._n, layers)

        def add(items: range, before: Sums) -> Sums:
            rows, task = self._rows[items.start : items.stop], self._wrapped.task
            task.generator.set_state(before.pop(GENERATOR))
            task.tick = progress.over(what, costs, items.start)
            found = covariances(self._wrapped, self._of(layers), self._batches, rows, by_kind(before))
            sums = {f"{kind} {name}": of for kind, by_layer in found.items() for name, of in by_layer.items()}
            again = {f"{kind} {layer.name}" for layer in self._of(layers) if layer.reads_on for kind in _READ}
            return {name: of for name, of in sums.items() if name not in again} | {
                GENERATOR: task.generator.get_state()
            }

        covered = progress.found(what, costs)
        if all(kept.find(part.name) is not None for part in second):
            covered(range(len(self._rows)))
            sums: Sums = {}
        else:
            begin = torch.Generator(self._tracked.device).manual_seed(self._seed).get_state()
            sums = add_up(first, kept, {GENERATOR: begin}, add, covered, progress.attempt(self._batches.halve))

        def make(items: range) -> Sums:
            tick = progress.over(_EIGENVECTORS, self._work.eigenvectors, items.start)
            made = {GENERATOR: sums[GENERATOR]}
            for layer in self._of(items):
                for side, kind in (("activation", INPUTS), ("gradient", OUTPUTS)):
                    if not (layer.reads_on and kind == INPUTS):
                        total = sums[f"{side}_covariance {layer.name}"]
                        count = sums[f"num_{side}_covariance_processed {layer.name}"]
                        made[f"{kind} {layer.name}"] = eigenvectors(total, count, self._tracked.device)[0]
                tick(1)
            return made

        made = make_each(second, kept, make, progress.found(_EIGENVECTORS, self._work.eigenvectors))
        sums.clear()
        if kept.find(first[-1].name) is not None:
            kept.drop(first[-1].name)
        return made

    def _eigenvalues(
        self,
        n: int,
        layers: range,
        given: Mapping[str, Columns],
        state: Tensor,
        kept: Kept,
        most: float,
        progress: Progress,
    ) -> Sums:
        """Sums of squares of some layers."""
        what = _row_of("eigenvalues", n, self._plan.eigenvalues)
        costs = self._work.eigenvalues / len(self._plan.eigenvalues)
        parts = named("eigenvalues", cut(costs, self._batches.starts(self._fewer), most), self._n, layers)
        device, generator = self._tracked.device, torch.Generator(self._tracked.device)

        def add(items: range, before: Sums) -> Sums:
            generator.set_state(before.pop(GENERATOR))
            bases: dict[str, tuple[Tensor, Tensor]] = {}
            sums: Sums = {}
            inputs = torch.empty(0)
            for layer in self._of(layers):
                if not layer.reads_on:
                    inputs = given[INPUTS][layer.name].to(device)
                bases[layer.name] = inputs, given[OUTPUTS][layer.name].to(device)
                earlier = before.get(f"{LAMBDA} {layer.name}")
                shape = layer.n_out, layer.n_in
                sums[layer.name] = inputs.new_zeros(shape) if earlier is None else earlier.to(device)
            rows, tick = self._fewer[items.start : items.stop], progress.over(what, costs, items.start)
            add_eigenvalues(self._tracked, sums, bases, self._batches.of(rows), generator, tick)
            return {f"{LAMBDA} {name}": of for name, of in sums.items()} | {GENERATOR: generator.get_state()}

        found = progress.found(what, costs)
        sums = add_up(parts, kept, {GENERATOR: state}, add, found, progress.attempt(self._batches.halve))
        sums.pop(GENERATOR)
        return sums

    @cached_property
    def _wrapped(self) -> Wrapped:
        return Wrapped(self._tracked, self._seed, self._n_windows)

    def _of(self, layers: range) -> Sequence[Layer]:
        return self._tracked.linear[layers.start : layers.stop]


_READ = ("activation_covariance", "num_activation_covariance_processed")


def covariances(
    on: Wrapped, layers: Sequence[Layer], batches: Batches, rows: Sequence[Row], before: dict[str, Columns]
) -> dict[str, Columns]:
    """Sums of a aᵀ and of δ δᵀ over the tokens of the rows, with their numbers, by kind and layer."""
    return on.covariances(layers, batches.of(rows), len(batches.starts(rows)), before)


def _row_of(kind: str, n: int, groups: Sequence[range]) -> str:
    """What is said of a pass over rows."""
    return f"{kind}: row" if len(groups) == 1 else f"{kind} {n + 1} of {len(groups)}: row"


def _cut_layers(costs: Numbers, layers: range, most: float) -> list[range]:
    """Parts of some layers."""
    some = costs[layers.start : layers.stop]
    return [range(layers.start + of.start, layers.start + of.stop) for of in cut(some, range(len(some)), most)]


def eigenvectors(total: Tensor, count: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Q and the values, ascending, of `total / count` in float64; both in the sum's own dtype.

    total: [n, n]   count: [1] -> [n, n], [n]. Raises RuntimeError for what is not finite.
    """
    mean = total.to(device, torch.float64) / count.to(device)
    values, Q = torch.linalg.eigh((mean + mean.T) * 0.5)  # what is added up is not exactly symmetric
    return Q.contiguous().to("cpu", total.dtype), values.to("cpu", total.dtype)


def by_kind(sums: Sums) -> dict[str, Columns]:
    """`kind layer` -> kind -> layer."""
    made: dict[str, Columns] = {}
    for name, of in sums.items():
        kind, layer = name.split(" ", 1)
        made.setdefault(kind, {})[layer] = of
    return made

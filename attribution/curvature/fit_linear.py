"""The three passes over the linear layers: covariances, their eigenvectors, and corrected eigenvalues in their basis.

    A = E[a aᵀ] = Q_A · Q_Aᵀ     S = E[δ δᵀ] = Q_S · Q_Sᵀ     Λ = E[(Q_Sᵀ ∇L Q_A)²]          George et al. 2018

kronfluence adds up the first and the third; one sequence of random numbers draws the labels of both.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer
from torch import Tensor

from attribution.curvature.kronfluence import (
    Columns,
    at_once,
    covariances,
    eigenvalues,
    give_eigenvectors,
    inner_name,
    kronfluence_analyzer,
    windows,
)
from attribution.curvature.parts import GENERATOR, Kept, Part, Progress, Sums, add_up, make_each, named
from attribution.curvature.work import Work, cut
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row

SIDES = ("activation", "gradient")
_COVARIANCES, _EIGENVECTORS, _EIGENVALUES = "covariances: row", "eigenvectors: layer", "eigenvalues: row"


class LinearFit:
    """One fit of the linear layers; the copy of the model that kronfluence works on is made when it is needed."""

    def __init__(
        self, tracked: Tracked, sample: Sequence[Row], fewer: Sequence[Row], folder: Path, seed: int, work: Work
    ) -> None:
        self._tracked, self._folder, self._seed, self._work = tracked, folder, seed, work
        self._rows, self._fewer, self._n = windows(sample), windows(fewer), len(sample)
        self._n_windows = 2 if sample[0].preference is not None else 1
        self._layers = [inner_name(layer, self._n_windows) for layer in tracked.linear]
        self._given = False

    def run(self, kept: Kept, most: float, progress: Progress) -> dict[str, Columns]:
        """kronfluence's files by kind and layer. `most`: multiply-adds of a part, about."""
        batch, last = at_once(self._rows), at_once(self._fewer)
        first = named("covariances", cut(self._work.covariances, range(0, len(self._rows), batch), most), self._n)
        second = named("eigenvectors", cut(self._work.eigenvectors, range(len(self._layers)), most), self._n)
        third = named("eigenvalues", cut(self._work.eigenvalues, range(0, len(self._fewer), last), most), self._n)
        vectors = self._eigenvectors(first, second, kept, progress)
        state = vectors.pop(GENERATOR)
        given = by_kind(vectors)

        def add(items: range, before: Sums) -> Sums:
            if not self._given:
                give_eigenvectors(self._analyzer, given)
                self._given = True
            rows = self._fewer[items.start : items.stop]
            self._go_on(before, progress.over(_EIGENVALUES, self._work.eigenvalues, items.start))
            return self._sums(eigenvalues(self._analyzer, rows, last))

        found = progress.found(_EIGENVALUES, self._work.eigenvalues)
        sums = add_up(third, kept, {GENERATOR: state}, add, found)
        sums.pop(GENERATOR)
        return given | by_kind(sums)

    def _eigenvectors(self, first: Sequence[Part], second: Sequence[Part], kept: Kept, progress: Progress) -> Sums:
        """Eigenvectors and values of every layer, and where the labels go on."""
        batch = at_once(self._rows)

        def add(items: range, before: Sums) -> Sums:
            rows = self._rows[items.start : items.stop]
            self._go_on(before, progress.over(_COVARIANCES, self._work.covariances, items.start))
            return self._sums(covariances(self._analyzer, rows, batch))

        covered = progress.found(_COVARIANCES, self._work.covariances)
        if all(kept.find(part.name) is not None for part in second):
            covered(range(len(self._rows)))
            sums: Sums = {}
        else:
            sums = add_up(first, kept, {}, add, covered)

        def make(items: range) -> Sums:
            tick = progress.over(_EIGENVECTORS, self._work.eigenvectors, items.start)
            made = {GENERATOR: sums[GENERATOR]}
            for name in self._layers[items.start : items.stop]:
                for side in SIDES:
                    total, count = sums[f"{side}_covariance {name}"], sums[f"num_{side}_covariance_processed {name}"]
                    Q, values = eigenvectors(total, count, self._tracked.device)
                    made |= {f"{side}_eigenvectors {name}": Q, f"{side}_eigenvalues {name}": values}
                tick(1)
            return made

        made = make_each(second, kept, make, progress.found(_EIGENVECTORS, self._work.eigenvectors))
        if kept.find(first[-1].name) is not None:
            kept.drop(first[-1].name)
        return made

    @cached_property
    def _analyzer(self) -> Analyzer:
        return kronfluence_analyzer(self._tracked, self._folder, self._seed, lambda n: None, self._n_windows)

    def _go_on(self, before: Sums, tick: Callable[[int], None]) -> None:
        """The next pass begins at what an earlier part has left."""
        task, sums = self._analyzer.task, dict(before)
        task.tick = tick
        if GENERATOR in sums:
            task.generator.set_state(sums.pop(GENERATOR))
        task.before = by_kind(sums)

    def _sums(self, found: dict[str, Columns]) -> Sums:
        """To be kept: the sums, and where the labels go on."""
        named = {f"{kind} {layer}": of for kind, by_layer in found.items() for layer, of in by_layer.items()}
        return named | {GENERATOR: self._analyzer.task.generator.get_state()}


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

"""EDGE: how a fit is cut to fit the memory: tokens of a batch, and layers whose sums are held at once.

More layers than fit are fitted one group after the other, each in a pass of its own with the same labels. The plan is
kept with the parts of a fit, which goes on in the pieces in which it began, whatever memory is free then.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, starmap
from pathlib import Path

import torch
from safetensors.torch import load_file

from attribution.curvature.parts import STATE, Kept, lacks_memory
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from attribution.tensor_file import write_tensors

ROWS = 32  # of a batch
TOKENS = 2**13  # padded tokens of a batch, where the memory allows
PASSED, SUMMED = 0.4, 0.6  # of the memory: what a batch may leave, and the sums of the layers
FELT = 0.25  # of the memory: a batch that needs more is tried before anything else is done


@dataclass(frozen=True)
class FitPlan:
    """The pieces of one fit."""

    tokens: int  # padded tokens of a batch
    covariances: tuple[range, ...]  # linear layers whose covariances are held at once
    eigenvalues: tuple[range, ...]  # linear layers whose eigenvectors and eigenvalues are held at once

    @property
    def n_passes(self) -> tuple[int, int]:
        """Over the documents of the covariances, and over those of the eigenvalues."""
        return len(self.covariances), len(self.eigenvalues)


def plan_fit(tracked: Tracked) -> FitPlan:
    """The pieces that fit the memory of `tracked.schedule`."""
    layers, schedule = tracked.linear, tracked.schedule
    tokens = max(1, min(TOKENS, schedule.share(PASSED) // bytes_of_token(tracked)))
    held, summed = [4 * (of.n_in**2 + of.n_out**2) for of in layers], schedule.share(SUMMED)
    turned = [4 * (of.n_out * of.n_in + of.n_out**2 + (not of.reads_on) * of.n_in**2) for of in layers]
    return FitPlan(tokens, groups(layers, held, summed), groups(layers, turned, summed))


def bytes_of_token(tracked: Tracked) -> int:
    """That a pass with labels that are drawn keeps of a token, about: what every layer reads and its gradient, its
    outputs with their gradients and with what is made of them, and three numbers of every vocabulary entry."""
    read = sum(of.n_in for of in tracked.linear if not of.reads_on)
    written = sum(of.n_out for of in tracked.linear)
    return 4 * (2 * read + 3 * written + 3 * len(tracked.loaded.model.get_output_embeddings().weight))


def groups(layers: Sequence[Layer], sizes: Sequence[int], most: int) -> tuple[range, ...]:
    """Layers side by side of at most `most` bytes together, those that read the same input never apart."""
    n = -(-sum(sizes) // most)
    even, starts, held = sum(sizes) / max(n, 1), [0], 0
    firsts = [i for i, layer in enumerate(layers) if not layer.reads_on]
    for a, b in pairwise([*firsts, len(layers)]):
        size = sum(sizes[a:b])
        if a and (held + size > most or held >= even):
            starts.append(a)
            held = 0
        held += size
    return tuple(range(a, b) for a, b in pairwise([*starts, len(layers)]))


def kept_plan(plan: FitPlan, kept: Kept, n_documents: int) -> FitPlan:
    """The plan that the parts of this fit follow; `plan`, from now on, where there are none."""
    name = f"plan, {n_documents} documents"
    found = kept.find(name)
    if found is None:
        numbers = {"tokens": [plan.tokens], "covariances": [], "eigenvalues": []}
        for kind in ("covariances", "eigenvalues"):
            numbers[kind] = [of.stop for of in getattr(plan, kind)]

        def compute(folder: Path) -> None:
            write_tensors(folder / STATE, {kind: torch.tensor(of) for kind, of in numbers.items()})

        kept.make(name, compute)
        return plan
    stored = {kind: of.tolist() for kind, of in load_file(found / STATE).items()}
    groups_of = (tuple(starmap(range, pairwise([0, *stored[kind]]))) for kind in ("covariances", "eigenvalues"))
    return FitPlan(stored["tokens"][0], *groups_of)


class Batches:
    """Rows side by side as batches, of fewer tokens after there was no memory for one."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self._last: Sequence[Row] = ()

    def starts(self, rows: Sequence[Row]) -> list[int]:
        """Of each batch: as many rows as have `tokens` with their padding, `ROWS` at most, one at least."""
        found, widest = [0], 0
        for i, row in enumerate(rows):
            widest = max(widest, _places([row]))
            n = i + 1 - found[-1]
            if n > 1 and (n > ROWS or n * widest > self.tokens):
                found.append(i)
                widest = _places([row])
        return found

    def of(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        for a, b in pairwise([*self.starts(rows), len(rows)]):
            self._last = rows[a:b]
            yield list(rows[a:b])

    def halve(self) -> str:
        """After there was no memory for the last batch: what is said of it, "" where it was a row alone."""
        if len(self._last) < 2:
            return ""
        places = _places(self._last)
        self.tokens = places // 2
        return f"no memory for {places:,} tokens at once, going on with {self.tokens:,}"


def _places(rows: Sequence[Row]) -> int:
    """Tokens of a batch with their padding."""
    return len(rows) * max(len(row.widths) * max(row.widths) for row in rows)


def try_longest(tracked: Tracked, rows: Sequence[Row], batches: Batches, say: Callable[[str], None]) -> None:
    """Pass the longest rows before anything else is done, where they need much of the memory.

    Halves the batches until they fit; raises RuntimeError where a row alone does not.
    """
    some = replace(tracked, embedding=())
    longest = sorted(rows, key=lambda row: _places([row]))
    while True:
        *_, last = batches.of(longest)
        if _places(last) * bytes_of_token(tracked) <= tracked.schedule.share(FELT):
            return
        try:
            capture(some, pad(last, range(len(last)), tracked.device))
            return
        except RuntimeError as error:
            smaller = batches.halve() if lacks_memory(error) else ""
            if not smaller:
                raise
            say(smaller)

"""EDGE: a fit in parts: an interruption costs the part that was in work.

A part goes on from what the part before has left: its sums, and the state of the generator that draws labels. So every
batch has the rows, every label the random number and every sum the order that it has in one go: how a fit is cut, and
where it was interrupted, changes no bit.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safetensors.torch import load_file
from torch import Tensor

from attribution.curvature.work import Numbers, Work
from attribution.errors import Damaged
from attribution.tensor_file import write_tensors

STATE = "state.safetensors"
GENERATOR = "generator"
Sums = dict[str, Tensor]
Tick = Callable[[float, str], None]  # a share of the fit in per cent, and what it is at
Attempt = Callable[[Callable[[], Sums]], Sums]  # to make sums: again, in smaller pieces, where there was no memory


class Kept(Protocol):
    """Where finished parts lie, by name."""

    def find(self, name: str) -> Path | None: ...

    def make(self, name: str, compute: Callable[[Path], None]) -> Path: ...

    def drop(self, name: str) -> None: ...


@dataclass(frozen=True)
class Scratch:
    """Of a fit that is done in one go: an empty folder, thrown away after it."""

    folder: Path

    def find(self, name: str) -> Path | None:
        made = self.folder / name
        return made if made.is_dir() else None

    def make(self, name: str, compute: Callable[[Path], None]) -> Path:
        made = self.folder / name
        made.mkdir()
        compute(made)
        return made

    def drop(self, name: str) -> None:
        shutil.rmtree(self.folder / name)


@dataclass(frozen=True)
class Part:
    """Some items of a pass."""

    name: str
    items: range


def named(kind: str, items: Sequence[range], n_documents: int, layers: range | None = None) -> list[Part]:
    """Parts of one pass over some layers. A sample that lost documents has names of its own."""
    of_what = f"{n_documents} documents" + (f", layers {layers.start} to {layers.stop}" if layers else "")
    return [Part(f"{kind} {i + 1} of {len(items)}, {of_what}", of) for i, of in enumerate(items)]


def add_up(
    parts: Sequence[Part],
    kept: Kept,
    first: Sums,
    add: Callable[[range, Sums], Sums],
    found: Callable[[range], None],
    attempt: Attempt = lambda make: make(),
) -> Sums:
    """What `add(items, sums so far)`, which it may overwrite, leaves after the last part. Begins after the last part
    that is kept, and says by `found(items)` what that spares. Every part but the last is dropped.
    """
    done = max((i for i, part in enumerate(parts) if kept.find(part.name)), default=-1)
    if done >= 0:
        found(range(parts[0].items.start, parts[done].items.stop))
    for i in range(done + 1, len(parts)):

        def compute(folder: Path, i: int = i) -> None:
            def make() -> Sums:
                return add(parts[i].items, dict(first) if i == 0 else _read(kept, parts[i - 1]))

            write_tensors(folder / STATE, attempt(make))

        kept.make(parts[i].name, compute)
        if i:
            kept.drop(parts[i - 1].name)
    return _read(kept, parts[-1])


def make_each(parts: Sequence[Part], kept: Kept, make: Callable[[range], Sums], found: Callable[[range], None]) -> Sums:
    """What the parts make, each for itself, together."""
    made: Sums = {}
    for part in parts:
        if kept.find(part.name) is None:
            items = part.items

            def compute(folder: Path, items: range = items) -> None:
                write_tensors(folder / STATE, make(items))

            kept.make(part.name, compute)
        else:
            found(part.items)
        made |= _read(kept, part)
    return made


def _read(kept: Kept, part: Part) -> Sums:
    place = kept.find(part.name)
    if place is None:
        raise Damaged(f"expected the part {part.name} of a fit, found it gone; run `whence build` again")
    # in memory of torch's own, which is aligned: some CPUs add products to a sum at another address in another order
    return {name: of.clone() for name, of in load_file(place / STATE).items()}


class Progress:
    """Shares of the whole fit, told item by item."""

    def __init__(self, tick: Tick, work: Work) -> None:
        self._tick, self._total, self._told = tick, work.total, 0.0

    def over(self, what: str, costs: Numbers, at: int) -> Callable[[int], None]:
        """`tick(n)` after n items of a pass, from item `at` on."""
        done = [at]

        def tick(n: int) -> None:
            share = 100 * float(costs[done[0] : done[0] + n].sum()) / self._total
            done[0] += n
            self.say(share, f"{what} {done[0]} of {len(costs)}")

        return tick

    def found(self, what: str, costs: Numbers) -> Callable[[range], None]:
        """For items that were done before."""
        return lambda items: self.over(what, costs, items.start)(len(items))

    def attempt(self, halve: Callable[[], str]) -> Attempt:
        """Where there is no memory for a part, `halve` says in what pieces to go on, "" for none."""

        def again(make: Callable[[], Sums]) -> Sums:
            while True:
                told = self._told
                try:
                    return make()
                except RuntimeError as error:
                    smaller = halve() if lacks_memory(error) else ""
                    if not smaller:
                        raise
                    self.say(told - self._told, smaller)

        return again

    def say(self, share: float, what: str) -> None:
        self._told += share
        self._tick(share, what)


def lacks_memory(error: RuntimeError) -> bool:
    """Of a CPU or a GPU: torch has no class of its own for the first."""
    return "memory" in str(error)

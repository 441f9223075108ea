"""EDGE: the gradients of the groups of a size, added up in the corpus pass, kept once at its end.

What the memory does not hold at once is added up cells by cells in a pass of its own, and so are documents that were
passed before or elsewhere: by an earlier build, by another process or machine. Partitions are always added in their
order, so that the sums are the same to the last bit whoever passed them: what this process passes is added as long as
nobody else has passed one before it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from attribution.errors import Damaged
from attribution.groups.products import ByLayer
from attribution.groups.sums import Sums, add_documents, bytes_of_cell, cells_held
from attribution.passes.capture import Captured
from indexer.corpus.corpus import labels_hash
from indexer.groups.cells import Cells, cells
from indexer.journal.away import asked, hands
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, found, is_finished, key, stage
from indexer.size.corpus_pass import partitions, range_of
from indexer.size.fitted import Fitted

ABOUT = "groups.json"
Tick = Callable[[int], None]


@dataclass(frozen=True)
class StageCells:
    """The groups of the documents of one stage of training."""

    fitted: Fitted

    @cached_property
    def cells(self) -> Cells:
        return cells(self.fitted.member.corpus, self.fitted.member.config.groups.by)

    @property
    def n_bytes(self) -> int:
        """That all gradients take."""
        return self.cells.n * bytes_of_cell(self.fitted.member.tracked)

    @property
    def fits(self) -> bool:
        """Whether the configuration lets them lie on the disk."""
        return self.n_bytes <= self.fitted.member.config.groups.disk * 1e9

    @property
    def name(self) -> str:
        return f"groups-{self.fitted.member.entry.name}"

    @property
    def key(self) -> str:
        member = self.fitted.member
        columns = ["corpus", *member.config.groups.by]
        return key(run=self.fitted.run, of=labels_hash(member.corpus, columns), whole=self.fits)


class Watch:
    """Adds up what the corpus pass shows, of the first partitions as far as this process computes them in a row."""

    def __init__(self, of: StageCells, cuts: Sequence[range]) -> None:
        self._cells, self._cuts, self._at = of.cells, cuts, 0
        self.sums = Sums(of.fitted.member.tracked, of.cells.n)
        self.seen = np.zeros(len(of.cells.of), dtype=bool)

    def itself(self) -> "Watch":
        """One for all partitions."""
        return self

    def see(self, captured: Captured, documents: Sequence[int]) -> None:
        """The documents of a batch, numbered in this stage of training."""
        if self._at < len(self._cuts) and documents[0] >= self._cuts[self._at].stop:
            before = self._cuts[self._at]
            self._at += 1 if self.seen[before.start : before.stop].all() else len(self._cuts)
        if self._at < len(self._cuts) and documents[0] in self._cuts[self._at]:
            self.sums.add(captured, self._cells.of[list(documents)].tolist())
            self.seen[list(documents)] = True

    def leave(self, folder: Path) -> None:
        """Nothing stays in a partition: sums of groups are kept once, in `group_sums`."""


def watch(folder: Path, fitted: Fitted) -> Watch | None:
    """Who looks at the corpus pass; None where there is nothing to do, or more than the memory holds."""
    of = StageCells(fitted)
    if not fitted.member.config.groups.by or not of.fits or of.cells.n > cells_held(fitted.member.tracked):
        return None
    if asked() is not None or hands() is not None or is_finished(folder, of.name, of.key, ["all"]):
        return None  # nodes pass some of the documents each, never all
    return Watch(of, _cuts(folder, fitted))


def group_sums(folder: Path, fitted: Fitted, seen: Watch | None, tick: Tick) -> Finished:
    """The gradients of all cells, or a note that there are none; `tick(n)` after n documents.

    seen: what was added up in the corpus pass
    """
    of = StageCells(fitted)
    tracked, rows, cuts = fitted.member.tracked, fitted.member.own_rows, _cuts(folder, fitted)

    def compute(part: Partition) -> None:
        held = seen.sums.n if seen is not None else min(of.cells.n, cells_held(tracked))
        kept = of.fits and held > 0
        (part.folder / ABOUT).write_text(json.dumps({"n_cells": of.cells.n, "kept": kept}) + "\n")
        for first in range(0, of.cells.n if kept else 0, max(1, held)):
            n = min(held, of.cells.n - first)
            sums = seen.sums if seen is not None else Sums(tracked, n)
            missing = (of.cells.of >= first) & (of.cells.of < first + n)
            if seen is not None:
                missing &= ~seen.seen
                tick(int(seen.seen.sum()))
            for cut in cuts:  # in batches as the corpus pass has them
                at = cut.start + np.flatnonzero(missing[cut.start : cut.stop])
                add_documents(sums, tracked, [rows[i] for i in at.tolist()], (of.cells.of[at] - first).tolist(), tick)
            sums.turn(fitted.preconditioner)
            tensors = {str(i): each.cpu() for i, each in enumerate(sums.by_layer)}
            save_file(tensors, part.folder / f"cells-{first:06d}.safetensors")

    [part] = stage(folder, of.name, of.key, ["all"], compute, away=True)
    return part


def _cuts(folder: Path, fitted: Fitted) -> list[range]:
    """The partitions of the corpus pass."""
    n = fitted.member.n_documents
    return [range(of.start, min(of.stop, n)) for of in map(range_of, partitions(folder, fitted))]


def sums_before(folder: Path, fitted: Fitted) -> Finished:
    """The part that a build has left; raises BadInput where there is none of this run."""
    of = StageCells(fitted)
    [part] = found(folder, of.name, of.key, ["all"])
    return part


def opened(part: Finished, n_layers: int) -> list[ByLayer] | None:
    """Sums by file and layer, memory-mapped  # [C, out, in]; None where none were kept. Raises Damaged."""
    about = json.loads((part.folder / ABOUT).read_text())
    if not about["kept"]:
        return None
    files: list[ByLayer] = []
    for path in sorted(part.folder.glob("cells-*.safetensors")):
        try:
            with safe_open(path, framework="pt") as file:
                files.append([file.get_tensor(str(i)) for i in range(n_layers)])
        except (SafetensorError, OSError) as error:
            raise Damaged(f"expected gradients of groups in {path}, found {error}; run build again") from None
    return files

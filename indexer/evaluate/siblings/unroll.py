"""EDGE: a sibling's training gone back through: a few queries at a time, kept as they are finished, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.threads import threads
from attribution.truth.unrolled import derivatives
from indexer.config.config import Config, Model, Recipe
from indexer.config.versions import VERSIONS
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.siblings.recorded import recorded
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.processes.progress import Reporter
from indexer.processes.side_by_side import side_by_side
from indexer.size.member import Member, open_member

AT_ONCE = 4  # queries that share one way back: each costs two trainings, the way itself three


@dataclass(frozen=True)
class Unrolled:
    """Some queries, and all that their derivatives depend on."""

    entry: Model
    config: Config
    base: str  # hash of its weights, documents and settings
    recipe: Recipe
    first: int  # number of the first of them
    asked: tuple[Question, ...]

    @property
    def key(self) -> str:
        """Hash of all that the derivatives depend on."""
        asked = [[each.ids, each.first] for each in self.asked]
        return key(base=self.base, recipe=self.recipe, asked=asked, versions=VERSIONS)


def unrolled(
    folder: Path, sibling: Member, recipe: Recipe, asked: Sequence[Question], n_processes: int, report: Reporter
) -> tuple[NDArray[np.float32], str]:
    """Exact derivative of every query by the weight of every document, nats a token, and the hash of all of it.

    recipe: the one that the sibling was trained by   -> [Q, D]
    """
    shares = [
        Unrolled(sibling.entry, sibling.config, sibling.base_key, recipe, i, tuple(asked[i : i + AT_ONCE]))
        for i in range(0, len(asked), AT_ONCE)
    ]
    with report.task(f"{sibling.entry.name}: its training gone back through", len(shares)) as task:
        side_by_side(partial(_unroll, folder), shares, n_processes, task.tick)
    return np.concatenate([_derivatives(folder, each) for each in shares]), key(shares=[each.key for each in shares])


def _unroll(folder: Path, of: Unrolled) -> None:
    _derivatives(folder, of)


def _derivatives(folder: Path, of: Unrolled) -> NDArray[np.float32]:
    def compute(part: Partition) -> None:
        with threads(1):
            training = recorded(open_member(of.entry, of.config), of.recipe)
            found = derivatives(training, [(each.ids, each.first) for each in of.asked])
        np.save(part.folder / "derivatives.npy", found.float().numpy())

    [part] = stage(folder, f"unrolled-{of.entry.name}", of.key, [of.first], compute)
    found: NDArray[np.float32] = np.load(part.folder / "derivatives.npy")
    return found

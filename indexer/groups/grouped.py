"""EDGE: the groups of every stage of a size's training, opened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from attribution.groups.products import ByLayer
from indexer.groups.cells import Cells, Group
from indexer.groups.sums import StageCells, Watch, group_sums, opened, sums_before
from indexer.journal.stages import Finished, key
from indexer.size.fitted import Fitted
from indexer.size.terms import Term


@dataclass(frozen=True)
class GroupedStage:
    """The documents of one term of the score, their cells and, where they are kept, the gradients of these."""

    term: Term
    fitted: Fitted
    cells: Cells
    sums: list[ByLayer] | None


@dataclass(frozen=True)
class Grouped:
    """The groups of all documents that a model was trained on."""

    stages: tuple[GroupedStage, ...]  # one for each of `Fitted.terms`

    @property
    def is_exact(self) -> bool:
        """Whether gradients of all groups are kept; else `group_scores` needs a sample."""
        return all(of.sums is not None for of in self.stages)

    @cached_property
    def digest(self) -> str:
        """Of everything that the influence of groups depends on besides the queries."""
        return key(stages=[[StageCells(of.fitted).key, of.sums is not None] for of in self.stages])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Those of all stages; one of two stages has the documents of both."""
        found: dict[tuple[str, str, str], Group] = {}
        for stage in self.stages:
            for of in stage.cells.groups:
                before = found.get((of.corpus, of.column, of.value))
                n = of.n_documents + (before.n_documents if before else 0)
                found[of.corpus, of.column, of.value] = replace(of, n_documents=n)
        return tuple(found[place] for place in sorted(found))

    def members(self, stage: GroupedStage) -> NDArray[np.bool_]:
        """Whether a cell of a stage belongs to a group  # [C, G]"""
        place = {(of.corpus, of.column, of.value): g for g, of in enumerate(self.groups)}
        found = np.zeros((stage.cells.n, len(place)), dtype=bool)
        for own, of in enumerate(stage.cells.groups):
            found[:, place[of.corpus, of.column, of.value]] = stage.cells.members[:, own]
        return found


def grouped(folder: Path, fitted: Fitted, seen: Watch | None, tick: Callable[[int], None]) -> Grouped | None:
    """Added up where that is not done; None where the configuration names no column.   seen: of the corpus pass"""
    if not fitted.member.config.groups.by:
        return None
    return _opened(fitted, lambda of: group_sums(folder, of, seen if of is fitted else None, tick))


def grouped_before(folder: Path, fitted: Fitted) -> Grouped | None:
    """What a build has left; None where it has no groups, or others."""
    if not fitted.member.config.groups.by:
        return None
    try:
        return _opened(fitted, lambda of: sums_before(folder, of))
    except BadInput:
        return None


def _opened(fitted: Fitted, part_of: Callable[[Fitted], Finished]) -> Grouped:
    made = [
        GroupedStage(term, of, StageCells(of).cells, opened(part_of(of), len(of.member.tracked.layers)))
        for term, of in zip(fitted.terms, fitted.stages, strict=True)
    ]
    return Grouped(tuple(made))

"""EDGE: what a model and its reference make of the pairs that it learned from: one forward pass of each."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attribution.passes.margins import margins
from attribution.passes.preference import Preference
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, found, is_finished, key, stage

if TYPE_CHECKING:
    from indexer.size.member import Member

FILE = "margins.npy"


def store_preferences(folder: Path, member: "Member", tick: Callable[[int], None]) -> list[Finished]:
    """Keep Δ of every pair of this stage; `tick(n)` after n pairs of either model."""

    def compute(part: Partition) -> None:
        np.save(part.folder / FILE, _margins(member, tick))

    return stage(folder, _stage(member), _key(member), ["all"], compute, away=True)


def read_or_found(member: "Member") -> Sequence[Preference]:
    """Of every pair: as a build has stored it, else found now."""
    folder, name = member.config.output.folder, _stage(member)
    if is_finished(folder, name, _key(member), ["all"]):
        of: list[Finished] = found(folder, name, _key(member), ["all"])
        known = np.load(of[0].folder / FILE)
    else:
        known = _margins(member, lambda n: None)
    return [Preference(member.entry.beta, margin) for margin in known.tolist()]


def _margins(member: "Member", tick: Callable[[int], None]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return margins(member.tracked, member.reference, member.texts.rows, tick)


def _stage(member: "Member") -> str:
    return f"pairs-{member.entry.name}"


def _key(member: "Member") -> str:
    return key(base=member.base_key)

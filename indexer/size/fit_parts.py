"""EDGE: the finished parts of a fit under way, in a folder with a journal of its own; it goes when the fit is done.

They are large and of no use afterwards, so the journal of the build never lists them.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.journal.stages import drop, finished, found, is_finished, stage

FITTING = "fitting"  # -<size>: the folder beside the parts of the build
STAGE = "fit"


@dataclass(frozen=True)
class FitParts:
    """Of one size; `attribution.curvature.parts.Kept`. One process at a time works on a fit."""

    folder: Path
    key: str  # of everything that the fit depends on

    def find(self, name: str) -> Path | None:
        """The folder of a part that is finished and as it was written."""
        if not is_finished(self.folder, STAGE, self.key, [name]):
            return None
        return found(self.folder, STAGE, self.key, [name])[0].folder

    def make(self, name: str, compute: Callable[[Path], None]) -> Path:
        [part] = stage(self.folder, STAGE, self.key, [name], lambda part: compute(part.folder))
        return part.folder

    def drop(self, name: str) -> None:
        drop(self.folder, [part for part in finished(self.folder, STAGE) if part.part == name])

    def remove(self) -> None:
        """All of it: the fit is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

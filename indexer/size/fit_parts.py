"""EDGE: the finished parts of a fit under way, in a folder with a journal of its own; it goes when the fit is done.

They are large and of no use afterwards, so the journal of the build never lists them.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.journal.stages import Finished, drop, found, is_finished, stage, under_key

STAGE = "fit"
SPENT = "seconds"  # -<key>: a file, of the parts that were dropped


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
        gone = [part for part in self._parts if part.part == name]
        if gone:
            self._spent.write_text(f"{self._dropped + sum(part.seconds for part in gone):.3f}\n")
        drop(self.folder, gone)

    @property
    def seconds(self) -> float:
        """That finished parts took, the dropped ones among them."""
        return self._dropped + sum(part.seconds for part in self._parts)

    @property
    def _dropped(self) -> float:
        return float(self._spent.read_text()) if self._spent.exists() else 0.0

    @property
    def _spent(self) -> Path:
        return self.folder / f"{SPENT}-{self.key}"

    @property
    def _parts(self) -> list[Finished]:
        return under_key(self.folder, STAGE, self.key)

    def remove(self) -> None:
        """All of it: the fit is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

"""EDGE: rows that the influence stage leaves in its parts for another stage, under a name that no table has.

The influence stage has the directions at hand. Parts of a build from before, or of other settings, lack the rows: there
they are made again. So what is left changes no shard and no key of the influence stage.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, stage


@dataclass(frozen=True)
class Left:
    """Rows of one table; `settings` names all that they depend on besides the part."""

    table: str
    settings: str

    @property
    def file(self) -> str:
        return f"{self.table}-{self.settings}.parquet"

    def leave(self, folder: Path, columns: Mapping[str, Any]) -> None:
        """Into a part that is being computed."""
        write_shard(folder, self.table, columns).rename(folder / self.file)

    def stage(
        self,
        folder: Path,
        name: str,
        made_of: str,
        scored: Sequence[Finished],
        again: Callable[[Finished], Mapping[str, Any]],
    ) -> list[Finished]:
        """A shard of the table for every part of the influence stage; where a part has none, `again` makes it."""
        by_key = {part.key: part for part in scored}

        def compute(part: Partition) -> None:
            of = by_key[str(part.value)]
            if self.file in of.files:
                shutil.copyfile(of.folder / self.file, part.folder / f"{self.table}.parquet")
            else:
                write_shard(part.folder, self.table, again(of))

        return stage(folder, name, made_of, list(by_key), compute)

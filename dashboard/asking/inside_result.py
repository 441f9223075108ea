"""Heads and neurons of a new answer: the rows of its result, by the names of their tables, as those of the database."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from dashboard.database.components.records import Effect, Floats, LensPoint, Replaced, Split, Taught
from dashboard.database.components.rows import effect_of, lens_of, replaced_of, taught_of, weights_of
from dashboard.database.queries import inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model

Row = Mapping[str, Any]
T = TypeVar("T")


class AskedInside:
    """A `dashboard.database.kept.inside.KeptInside`. tables: name -> rows; {} while they are not computed."""

    def __init__(self, snapshot: Snapshot, tables: Mapping[str, Sequence[Row]], model: Model) -> None:
        self.snapshot = snapshot
        self.tables = tables
        self.model = model

    def split(self) -> Split | None:
        """The size was split when the database was built."""
        return inside.split(self.snapshot, self.model.model_id)

    def effects(self, first: int, last: int) -> list[Effect]:
        return self._read("component_effect", effect_of, first, last)

    def taught(self, first: int, last: int) -> list[Taught]:
        return self._read("component_taught", taught_of, first, last)

    def replaced(self, first: int, last: int) -> list[Replaced]:
        return self._read("component_measured", replaced_of, first, last)

    def attention(self, first: int, last: int, depth: int, head: int) -> list[Floats]:
        rows = self._rows("component_attention", first, last)
        return [weights_of(row) for row in rows if (row["depth"], row["head"]) == (depth, head)]

    def lens(self, first: int, last: int) -> list[LensPoint]:
        return self._read("lens", lens_of, first, last)

    def _read(self, table: str, of: Callable[[Row], T], first: int, last: int) -> list[T]:
        return [of(row) for row in self._rows(table, first, last)]

    def _rows(self, table: str, first: int, last: int) -> Iterator[Row]:
        return (row for row in self.tables.get(table, ()) if first <= row["position"] <= last)

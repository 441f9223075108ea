"""Heads and neurons at the tokens of an answer, wherever it is kept: in the database, or in the result of a job."""

from typing import Protocol

from dashboard.database.components.records import Effect, Floats, LensPoint, Replaced, Split, Taught
from dashboard.database.queries import inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Generation, Run


class KeptInside(Protocol):
    """first, last: tokens of the answer, both included; [] where nothing is computed."""

    def split(self) -> Split | None: ...
    def effects(self, first: int, last: int) -> list[Effect]: ...
    def taught(self, first: int, last: int) -> list[Taught]: ...
    def replaced(self, first: int, last: int) -> list[Replaced]: ...
    def attention(self, first: int, last: int, depth: int, head: int) -> list[Floats]: ...
    def lens(self, first: int, last: int) -> list[LensPoint]: ...


class StoredInside:
    """Of an answer of the database; run: whose scores are split, None where there is no run."""

    def __init__(self, snapshot: Snapshot, generation: Generation, run: Run | None) -> None:
        self.snapshot = snapshot
        self.generation = generation
        self.run = run

    def split(self) -> Split | None:
        return inside.split(self.snapshot, self.generation.model.model_id)

    def effects(self, first: int, last: int) -> list[Effect]:
        return inside.effects(self.snapshot, self.generation.generation_id, first, last)

    def taught(self, first: int, last: int) -> list[Taught]:
        of = self.generation.generation_id
        return inside.taught(self.snapshot, self.run.run_id, of, first, last) if self.run else []

    def replaced(self, first: int, last: int) -> list[Replaced]:
        return inside.replaced(self.snapshot, self.generation.generation_id, first, last)

    def attention(self, first: int, last: int, depth: int, head: int) -> list[Floats]:
        return inside.attention(self.snapshot, self.generation.generation_id, first, last, depth, head)

    def lens(self, first: int, last: int) -> list[LensPoint]:
        return inside.lens(self.snapshot, self.generation.generation_id, first, last)

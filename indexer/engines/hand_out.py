"""EDGE: hands parts of a stage out to an engine, brings back what nodes have left, and hands out again what is lost.

Nodes leave a slip in the storage for each part; nothing here depends on a clock, or on a node's word that it is done.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from attribution.errors import TryAgain
from indexer.engines.order import Engine, Lost, Order, Spoiled, Task
from indexer.engines.storage import Storage
from indexer.journal.files import folder_stamps
from indexer.journal.lines import Finished, finished, line_of, listed_by
from indexer.journal.part import Partition
from indexer.journal.stages import is_whole

POLL = 0.5  # seconds
SHARES = 4  # orders for each slot: small ones at the end keep nodes busy that are fast


class HandOut:
    """The parts of one size."""

    def __init__(
        self,
        engine: Engine,
        storage: Storage,
        size: bytes,
        versions: Mapping[str, str],
        needs: Callable[[Finished], bool],
        cpus: int = 1,
        retries: int = 3,
        still_ours: Callable[[], None] = lambda: None,
    ) -> None:
        """size: for the node, see `Order`   needs: whether a node of this size needs a finished part   still_ours:
        raises WhenceError when another driver has taken over"""
        self._engine, self._storage, self._size, self._versions = engine, storage, size, versions
        self._needs, self._cpus, self._retries, self._still_ours = needs, cpus, retries, still_ours

    def compute(self, folder: Path, parts: Sequence[Partition]) -> Iterator[Finished]:
        """Every part, as they come back. Raises what a node says, TryAgain for a part that was lost too often."""
        stage, waiting = parts[0].stage, {part.key: part for part in parts}
        doubted: set[str] = set()
        yield from self._back(folder, stage, waiting, doubted)  # what the nodes of an earlier build have left
        if not waiting:
            return
        needed = [part for part in finished(folder) if part.stage != stage and self._needs(part)]
        self._storage.share(needed)
        lines = tuple(line_of(folder, part) for part in needed)
        lost = dict.fromkeys(waiting, 0)
        running = self._submit(stage, list(waiting.values()), lines, doubted)
        try:
            while waiting:
                self._still_ours()
                ended = [task for task in running if task.done()]
                yield from self._back(folder, stage, waiting, doubted)
                for task in ended:
                    running.remove(task)
                    again = self._left(task, waiting, lost)
                    running += self._submit(stage, again, lines, doubted) if again else []
                if waiting and not ended:
                    time.sleep(POLL)
        finally:
            for task in running:
                task.stop()

    def _back(self, folder: Path, stage: str, waiting: dict[str, Partition], doubted: set[str]) -> Iterator[Finished]:
        """What has come back of those that are waited for, which then are no more.

        doubted: keys whose files are damaged, or not to be seen here yet
        """
        for key, line in self._storage.slips(stage, waiting).items():
            part = listed_by(folder, line)
            if part is None or part.key != key or part.part != waiting[key].value:
                self._storage.withdraw(stage, key)
                continue
            try:
                self._storage.bring(part)
            except Spoiled:  # it is made again
                continue
            if is_whole(part):
                del waiting[key]
                yield replace(part, stamps=folder_stamps(part.folder))
                self._storage.taken(part)
            else:
                doubted.add(key)

    def _left(self, task: Task, waiting: Mapping[str, Partition], lost: dict[str, int]) -> list[Partition]:
        """What is to be handed out again of an order that has ended."""
        failure = task.failure()
        if failure is not None and not isinstance(failure, Lost):
            raise failure
        again = [waiting[key] for key in task.order.keys.values() if key in waiting]
        for part in again:
            lost[part.key] += 1
            if lost[part.key] > self._retries:
                said = f" ({failure})" if failure is not None else ""
                raise TryAgain(
                    f"expected {part.stage} part {part.value} from a node, found it lost {lost[part.key]} times{said}; "
                    "see what ends the nodes, then give the same command again"
                )
        return again

    def _submit(self, stage: str, parts: Sequence[Partition], lines: tuple[str, ...], doubted: set[str]) -> list[Task]:
        """Neighbours go together, in as many orders as keep all slots busy. A node leaves out what has a slip."""
        for key in doubted.intersection(part.key for part in parts):
            self._storage.withdraw(stage, key)
            doubted.remove(key)
        n = min(len(parts), SHARES * self._engine.slots)
        cuts = [len(parts) * i // n for i in range(n + 1)]
        return [
            self._engine.submit(
                Order(
                    self._versions,
                    self._storage.address,
                    self._size,
                    stage,
                    {part.value: part.key for part in parts[start:stop]},
                    lines,
                    self._cpus,
                )
            )
            for start, stop in zip(cuts[:-1], cuts[1:], strict=True)
        ]

"""What was asked of one snapshot, kept while it is open: a file that never changes answers the same again."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Memory:
    """The latest answers of each question. Any thread may ask; what is given out is shared, so nobody changes it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._kept: dict[str, OrderedDict[Hashable, Any]] = {}

    def ask(self, question: str, values: Hashable, compute: Callable[[], Any], most: int) -> Any:
        """The kept answer to these values, or a new one; the `most` that were asked for last stay.

        Whatever `compute` raises is raised, and nothing is kept. Two threads may both compute: the lock is not held.
        """
        with self._mutex:
            kept = self._kept.setdefault(question, OrderedDict())
            if values in kept:
                kept.move_to_end(values)
                return kept[values]
        answer = compute()
        with self._mutex:
            kept[values] = answer
            while len(kept) > most:
                kept.popitem(last=False)
        return answer

    def forget(self) -> None:
        with self._mutex:
            self._kept.clear()

"""Parts of a stage that another process computes: who hands them out here, and what this process was asked for.

The process that builds keeps the journal and hands parts out (`handing_out`). A process that computes for it walks the
same stages (`asked_for`): what stands before is found, never computed; at the stage that was asked for it computes the
parts that were asked for, and stops there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from indexer.journal.lines import Finished
    from indexer.journal.part import Partition


class Hands(Protocol):
    """Who has parts computed elsewhere."""

    def compute(self, folder: Path, parts: "Sequence[Partition]") -> "Iterator[Finished]":
        """Every part, in the order in which they come back, its files below `folder`. Raises WhenceError."""


@dataclass(frozen=True)
class Asked:
    """What this process was asked to compute."""

    stage: str
    keys: Mapping[str | int, str]  # part -> the key under which it is expected
    is_there: Callable[[str], bool]  # whether somebody has left the part of a key meanwhile
    made: "Callable[[Finished], None]"  # called with each part


class Reached(Exception):
    """Everything that was asked for is done: there is nothing to go on for."""


_HANDS: ContextVar[Hands | None] = ContextVar("hands", default=None)
_ASKED: ContextVar[Asked | None] = ContextVar("asked", default=None)


@contextmanager
def handing_out(hands: Hands) -> Iterator[None]:
    """Inside, `stage` has parts computed by `hands` where its stage says that they may be."""
    before = _HANDS.set(hands)
    try:
        yield
    finally:
        _HANDS.reset(before)


@contextmanager
def asked_for(asked: Asked) -> Iterator[None]:
    """Inside, `stage` computes what is asked for and nothing else; raises Reached when that is done."""
    before = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(before)


def hands() -> Hands | None:
    """None where every part is computed here."""
    return _HANDS.get()


def asked() -> Asked | None:
    """None in a process that computes for itself."""
    return _ASKED.get()

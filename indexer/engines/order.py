"""What a node is told, and what an engine is: it runs orders, wherever that is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from attribution.errors import BadInput, TryAgain


class Lost(TryAgain):
    """A node, or what it had done, is gone by no fault of the work: it may be handed out again."""


class Spoiled(Lost):
    """What was left in the storage is gone or has other bytes, and will not come right by waiting."""


@dataclass(frozen=True)
class Order:
    """Some parts of one stage of one size."""

    versions: Mapping[str, str]  # of what results depend on, where the build was started
    storage: str  # address that all nodes reach
    size: bytes  # pickled: it is not opened by a node of other versions
    stage: str
    keys: Mapping[str | int, str]  # part -> its key
    lines: tuple[str, ...]  # of the journal: what is finished, and needed for it
    cpus: int


Work = Callable[[Order], Exception | None]  # what a node does: the parts lie in the storage, or why not


class Task(Protocol):
    """An order under way."""

    order: Order

    def done(self) -> bool: ...

    def failure(self) -> Exception | None:
        """Of one that is done: what the node says, Lost when it says nothing any more, None when all is well."""

    def stop(self) -> None: ...


class Engine(Protocol):
    """Runs orders on nodes."""

    @property
    def slots(self) -> int:
        """Orders that run at once."""

    def submit(self, order: Order) -> Task: ...

    def close(self) -> None: ...


def refuse_other_versions(wanted: Mapping[str, str], found: Mapping[str, str], node: str) -> None:
    """Raises BadInput, naming both, where a node has another version of something that results depend on."""
    for name, version in wanted.items():
        if found.get(name) != version:
            raise BadInput(
                f"expected {name} {version}, as where the build was started, found {found.get(name, 'none')} on "
                f"{node}; install the same there"
            )

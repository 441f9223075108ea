"""What all nodes of a build reach: a folder that they share, or an object store; both keep the same things.

parts       finished parts, as in the output folder
slips       a line of the journal for each part that a node has left, by stage; it is written when the part is whole
carried     models and other files that nodes need
"""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Protocol

from indexer.config.run import OBJECTS
from indexer.engines.object_store import ObjectStore
from indexer.engines.shared_folder import SharedFolder
from indexer.journal.stages import Finished


class Storage(Protocol):
    """A place that the driver (where the build was started) and all nodes reach."""

    address: str  # opens it on another machine

    def check(self) -> None:
        """For the driver, before anything is handed out. Raises BadInput for a place that cannot be used."""

    def parts(self) -> Path:
        """The folder of this machine in which a node finds and leaves parts."""

    def share(self, parts: Sequence[Finished]) -> None:
        """Parts of the driver, so that nodes find them. Raises WhenceError."""

    def bring(self, part: Finished) -> None:
        """A part's files into its folder, where they are not there yet. Raises Lost for what cannot be reached, Spoiled
        for what is not as it was left: its slip is then withdrawn, so that the next build leaves it again."""

    def leave(self, part: Finished, line: str) -> None:
        """What a node has computed: whole, then its slip."""

    def slips(self, stage: str, keys: Container[str]) -> dict[str, str]:
        """Key -> line of what nodes have left of a stage, of these keys: no others are read."""

    def has_slip(self, stage: str, key: str) -> bool:
        """Whether somebody has left the part of a key."""

    def withdraw(self, stage: str, key: str) -> None:
        """The slip of a part that is not whole: who asks for it makes it again."""

    def taken(self, part: Finished) -> None:
        """The driver's journal lists a part."""

    def carry(self, path: str, name: str) -> None:
        """A file or folder under a name, where it is not there yet."""

    def carried(self, name: str) -> Path:
        """It, on this machine."""

    def publish(self, folder: Path) -> None:
        """What `CURRENT` of the driver's folder names becomes what is current here, at once."""

    def close(self) -> None: ...


def open_storage(address: str) -> Storage:
    """By what a node is told. Raises BadInput where what opens it is not installed."""
    return ObjectStore(address) if address.startswith(OBJECTS) else SharedFolder(Path(address))

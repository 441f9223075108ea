"""EDGE: the output folder as the storage of all nodes: every one has it under the same path."""

import errno
import os
import secrets
import shutil
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attribution.errors import BadInput, TryAgain, WhenceError
from indexer.config.run import OBJECTS
from indexer.journal.files import REPORTS, is_full, replace_file
from indexer.journal.stages import Finished

_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class SharedFolder:
    """Parts lie where they are computed; a slip says that one is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.address = folder, str(folder)

    def check(self) -> None:
        with reached(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / f"probe.{secrets.token_hex(8)}.partial"
            probe.write_bytes(b"")
            probe.unlink()

    def parts(self) -> Path:
        """Raises BadInput where this machine has no such folder: one that is made here would be shared with nobody."""
        if (error := gone(self.address)) is not None:
            raise error
        found = self._folder / "parts"
        with reached(self._folder):
            found.mkdir(exist_ok=True)
        return found

    def share(self, parts: Sequence[Finished]) -> None:
        """They lie there."""

    def bring(self, part: Finished) -> None:
        """It lies there."""

    def leave(self, part: Finished, line: str) -> None:
        slip = self._slips(part.stage) / part.key
        with reached(self._folder):
            slip.parent.mkdir(parents=True, exist_ok=True)
            replace_file(slip, line, "slip")

    def slips(self, stage: str, keys: Container[str]) -> dict[str, str]:
        with reached(self._folder):
            found = [path for path in self._slips(stage).glob("*") if path.name in keys]
            return {path.name: line for path in found if (line := _read(path)) is not None}

    def has_slip(self, stage: str, key: str) -> bool:
        with reached(self._folder):
            return (self._slips(stage) / key).exists()

    def withdraw(self, stage: str, key: str) -> None:
        with reached(self._folder):
            (self._slips(stage) / key).unlink(missing_ok=True)

    def taken(self, part: Finished) -> None:
        self.withdraw(part.stage, part.key)

    def carry(self, path: str, name: str) -> None:
        source, target = Path(path), self._folder / "carried" / name
        if target.exists():
            return
        scratch = target.with_name(f"{name}.{secrets.token_hex(8)}.partial")
        try:
            with reached(self._folder):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, scratch) if source.is_dir() else shutil.copyfile(source, scratch)
                scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True) if scratch.is_dir() else scratch.unlink(missing_ok=True)

    def carried(self, name: str) -> Path:
        return self._folder / "carried" / name

    def publish(self, folder: Path) -> None:
        """It is published where it lies."""

    def close(self) -> None:
        """Nothing is open."""

    def _slips(self, stage: str) -> Path:
        return self._folder / "slips" / stage


@contextmanager
def reached(folder: Path) -> Iterator[None]:
    """Turns what a file system says of a shared folder into one line: BadInput for one that is gone or may not be
    written in, TryAgain for one that is full or that failed."""
    try:
        yield
    except REPORTS as error:
        raise failed(str(folder), error) or TryAgain(
            f"expected the shared folder {folder} to answer, found: {error} (on {os.uname().nodename}); what was "
            "finished is kept, give the same command again when it does"
        ) from error


def failed(address: str, error: Exception) -> WhenceError | None:
    """What an error says of the shared folder of this address; None where that is not what failed."""
    if address.startswith(OBJECTS):
        return None
    folder, node = Path(address), os.uname().nodename
    number = error.errno if isinstance(error, OSError) else None
    if is_full(error):
        return TryAgain(
            f"expected room in the shared folder {folder}, found it full (on {node}); free some, then give the same "
            "command again"
        )
    if number in _REFUSED:
        return BadInput(
            f"expected a shared folder to write in at {folder}, found: {os.strerror(number or 0)} (on {node}); mount "
            "it for writing there"
        )
    return gone(address)


def gone(address: str) -> BadInput | None:
    """The error for a shared folder that this machine does not have; None where it has."""
    if address.startswith(OBJECTS) or Path(address).is_dir():
        return None
    return BadInput(
        f"expected the shared folder {address} on {os.uname().nodename}, found none; mount it there under the same path"
    )


def _read(slip: Path) -> str | None:
    """None for one that was withdrawn meanwhile; a torn one is read as what no slip is."""
    try:
        return slip.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None

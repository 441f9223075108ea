"""EDGE: a published database out of an object store, into a folder from which it is read."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from attribution.errors import BadInput, Damaged
from indexer.config.run import names_objects
from indexer.database.beside import is_whole_beside, named_in
from indexer.database.snapshot_file import Current, point_at
from indexer.engines.object_store import ObjectStore
from indexer.journal.files import disk_room, file_hash, sync, unseal
from indexer.journal.lock import lock


def run(folder: Path, storage: str) -> None:
    """What is current there becomes current here. Raises BadInput where nothing is, Damaged for other bytes."""
    if not names_objects(storage):
        raise BadInput(
            f"expected 's3://bucket/folder' to bring a database from, found {storage!r}; a bucket's name has letters, "
            "digits, '.', '_' and '-'"
        )
    store = ObjectStore(storage)
    text, _ = store.read("CURRENT")
    if not text:
        raise BadInput(f"expected a published database in {storage}, found none; build one there")
    try:
        current = Current(**unseal(text))
    except (ValueError, TypeError):
        raise Damaged(f"expected CURRENT in {storage} as it was published, found other bytes; build again") from None
    with lock(folder), disk_room(folder):
        path = folder / current.database
        _fetch(store, path, lambda of: of.is_file() and file_hash(of) == current.sha256)
        for name in named_in(path):
            _fetch(store, folder / name, is_whole_beside)
        point_at(folder, path, current.generation, current.content, current.shards)
    print(f"{path}: generation {current.generation} of {storage}")


def _fetch(store: ObjectStore, path: Path, is_whole: Callable[[Path], bool]) -> None:
    """A published file into a folder, where it is not there yet; whole before it has its name."""
    if is_whole(path):
        return
    scratch = path.parent / f"brought-{secrets.token_hex(8)}.partial"
    scratch.mkdir()
    try:
        store.fetch(path.name, scratch / path.name)
        if not is_whole(scratch / path.name):
            raise Damaged(
                f"expected {path.name} in {store.address} as it was published, found other bytes; build again"
            )
        sync(scratch / path.name)
        (scratch / path.name).rename(path)
        sync(path.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

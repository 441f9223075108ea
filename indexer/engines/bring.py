"""EDGE: a published database out of an object store, into a folder from which it is read."""

import secrets
from pathlib import Path

from attribution.errors import BadInput, Damaged
from indexer.config.run import OBJECTS
from indexer.database.snapshot_file import Current, point_at
from indexer.engines.object_store import ObjectStore
from indexer.journal.files import disk_room, file_hash, sync, unseal
from indexer.journal.lock import lock


def run(folder: Path, storage: str) -> None:
    """What is current there becomes current here. Raises BadInput where nothing is, Damaged for other bytes."""
    if not storage.startswith(OBJECTS):
        raise BadInput(f"expected 's3://bucket/folder' to bring a database from, found {storage!r}; give one")
    store = ObjectStore(storage)
    text, _ = store.read("CURRENT")
    if not text:
        raise BadInput(f"expected a published database in {storage}, found none; build one there")
    try:
        current = Current(**unseal(text))
    except (ValueError, TypeError):
        raise Damaged(f"expected CURRENT in {storage} as it was published, found other bytes; build again") from None
    with lock(folder), disk_room(folder):
        path, scratch = folder / current.database, folder / f"snapshot-{secrets.token_hex(8)}.duckdb.partial"
        try:
            if not path.is_file() or file_hash(path) != current.sha256:
                store.fetch(current.database, scratch)
                if file_hash(scratch) != current.sha256:
                    raise Damaged(
                        f"expected {current.database} in {storage} as it was published, found other bytes; build again"
                    )
                sync(scratch)
                scratch.rename(path)
                sync(folder)
        finally:
            scratch.unlink(missing_ok=True)
        point_at(folder, path, current.generation, current.content, current.shards)
    print(f"{path}: generation {current.generation} of {storage}")

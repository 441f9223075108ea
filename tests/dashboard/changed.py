"""A published database with other rows in it."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import duckdb

from indexer.database.snapshot_file import read_current
from indexer.journal.files import seal


def changed(folder: Path, copy: Path, statements: Sequence[str]) -> Path:
    """A copy in which the statements were run; `CURRENT` says its new size."""
    shutil.copytree(folder, copy)
    current = read_current(copy)
    assert current is not None
    path = copy / current.database
    with duckdb.connect(str(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.execute("CHECKPOINT")
    (copy / "CURRENT").write_text(seal(asdict(replace(current, bytes=path.stat().st_size))))
    return copy

"""EDGE: stored parts of sizes that the published configuration no longer names."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from indexer.database.snapshot_file import Current
from indexer.journal.stages import Finished, finished

_FIRST = ("factors-", "answers-", "about-")  # stages that every built size has one of


def of_gone_sizes(folder: Path, current: Current) -> list[Finished]:
    """Everything of a size that the current database's configuration does not name and that is older than it: a size
    that was added since, and is being built, is not gone."""
    named = _configured(folder / current.database)
    if not named:
        return []
    published = (folder / "CURRENT").stat().st_mtime_ns
    parts = finished(folder)
    stages = gone_stages([part.stage for part in parts], named)
    return [
        part
        for part in parts
        if part.stage in stages and part.folder.is_dir() and part.folder.stat().st_mtime_ns < published
    ]


def gone_stages(stages: Sequence[str], named: Collection[str]) -> set[str]:
    """Those stages that belong to a size which is not `named`.

    A stage is called after its size, "reading" after two. Names may hold "-": the longest that fits is meant. What
    is fitted at a checkpoint, or with another seed, is called after the size too: "name.epoch-9" goes with "name".
    """
    built = {stage.removeprefix(first) for stage in stages for first in _FIRST if stage.startswith(first)}
    sizes = {*built, *named}
    lost = {size for size in sizes if not any(size == name or size.startswith(f"{name}.") for name in named)}

    def owners(stage: str) -> list[str]:
        owner = max((size for size in sizes if stage.endswith(f"-{size}")), key=len, default="")
        before = stage.removesuffix(f"-{owner}")
        return [owner, before.removeprefix("reading-")] if before.startswith("reading-") else [owner]

    return {stage for stage in stages if any(owner in lost for owner in owners(stage))}


def _configured(database: Path) -> set[str]:
    """Names of the models; empty where the database keeps no configuration."""
    try:
        with duckdb.connect(str(database), read_only=True) as db:
            row = db.execute("SELECT config FROM meta").fetchone()
        return {str(model["name"]) for model in json.loads(row[0])["model"]} if row else set()
    except (duckdb.Error, ValueError, KeyError, TypeError):
        return set()

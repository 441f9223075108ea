"""EDGE: stored parts of sizes that the published configuration no longer names."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from indexer.database.snapshot_file import Current
from indexer.journal.part import FITTING
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


def fits_of_gone_sizes(folder: Path, current: Current) -> list[Path]:
    """Folders of fits under way, of sizes that the current database's configuration does not name; as above."""
    named = _configured(folder / current.database)
    published = (folder / "CURRENT").stat().st_mtime_ns
    fits = [each for each in folder.glob(f"{FITTING}-*") if each.stat().st_mtime_ns < published]
    sizes = {each: each.name.removeprefix(f"{FITTING}-") for each in fits}
    return [each for each, size in sizes.items() if named and not _is_of(size, named)]


def gone_stages(stages: Sequence[str], named: Collection[str]) -> set[str]:
    """Those stages that belong to a size which is not `named`.

    A stage is called after its size, "reading" after two. Names may hold "-": the longest that fits is meant. What
    is fitted at a checkpoint, or with another seed, is called after the size too: "name.epoch-9" goes with "name".
    """
    built = {stage.removeprefix(first) for stage in stages for first in _FIRST if stage.startswith(first)}
    sizes = {*built, *named}
    lost = {size for size in sizes if not _is_of(size, named)}

    def owners(stage: str) -> list[str]:
        owner = max((size for size in sizes if stage.endswith(f"-{size}")), key=len, default="")
        before = stage.removesuffix(f"-{owner}")
        return [owner, before.removeprefix("reading-")] if before.startswith("reading-") else [owner]

    return {stage for stage in stages if any(owner in lost for owner in owners(stage))}


def _is_of(size: str, named: Collection[str]) -> bool:
    """Whether a name, or one with a checkpoint or a seed behind it, is of these."""
    return any(size == name or size.startswith(f"{name}.") for name in named)


def _configured(database: Path) -> set[str]:
    """Names of the models; empty where the database keeps no configuration."""
    try:
        with duckdb.connect(str(database), read_only=True) as db:
            row = db.execute("SELECT config FROM meta").fetchone()
        return {str(model["name"]) for model in json.loads(row[0])["model"]} if row else set()
    except (duckdb.Error, ValueError, KeyError, TypeError):
        return set()

"""EDGE: how much of a size is explained, in rows; made when a database is published, since no score depends on it."""

from pathlib import Path

from attribution.model.coverage import coverage
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.member import Member


def coverage_part(folder: Path, member: Member) -> Finished:
    """A shard of `coverage`."""
    model_id, layers = member.loaded.weights_hash, [layer.name for layer in member.tracked.layers]

    def compute(part: Partition) -> None:
        found = coverage(member.tracked)
        columns = {"model_id": [model_id] * len(found)}
        columns |= {name: [getattr(of, name) for of in found] for name in ("kind", "name", "n_params")}
        write_shard(part.folder, "coverage", columns)

    [part] = stage(folder, f"coverage-{member.entry.name}", key(model=model_id, layers=layers), ["all"], compute)
    return part

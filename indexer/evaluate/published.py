"""EDGE: measures as parts of the output folder: one for each model and measure, published with the database."""

from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.config import Config, described
from indexer.database.publish import publish
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import read_current
from indexer.evaluate.figures import Figure, columns
from indexer.journal import Finished, finished, stage
from indexer.partition import Part

PREFIX = "evaluation-"


def measured(folder: Path, what: str, name: str, model_id: str, key: str, measure: Callable[[], list[Figure]]) -> None:
    """One measure of one model, taken if need be; `key` is of everything that it depends on."""

    def compute(part: Part) -> None:
        write_shard(part.folder, "evaluation", columns(model_id, measure()))

    stage(folder, f"{PREFIX}{what}-{name}", key, [model_id], compute)


def evaluation_parts(folder: Path, model_ids: Sequence[str]) -> list[Finished]:
    """What was measured of these models, with whatever settings; weights that were trained anew have other ids."""
    return [each for each in finished(folder) if each.stage.startswith(PREFIX) and each.part in model_ids]


def publish_with(folder: Path, config: Config, model_ids: Sequence[str]) -> Path | None:
    """The current database once more with these measures; None when there is none yet, `build` then adds them."""
    current = read_current(folder)
    if current is None:
        return None
    shown = set(current.shards)
    others = [
        part
        for part in finished(folder)
        if not part.stage.startswith(PREFIX) and any(sha256 in shown for sha256 in part.files.values())
    ]
    return publish(folder, [*others, *evaluation_parts(folder, model_ids)], described(config))

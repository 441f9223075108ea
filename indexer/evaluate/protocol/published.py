"""EDGE: measures as parts of the output folder: one for each model and measure, published with the database."""

from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.config.config import Config, described
from indexer.database.evaluations import BASIS, FULL, PREFIX, evaluation_parts
from indexer.database.publish import publish
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import read_current
from indexer.evaluate.statistics.figures import Figure, columns
from indexer.journal.part import Partition
from indexer.journal.stages import finished, stage


def measured(
    folder: Path, what: str, name: str, model_id: str, key: str, measure: Callable[[], list[Figure]], of: str = ""
) -> None:
    """One measure of one model, taken if need be; `key` is of everything that it depends on."""
    _kept(folder, f"{PREFIX}{what}-{name}", model_id, key, measure, of)


def measured_in_full(
    folder: Path, what: str, name: str, model_id: str, key: str, measure: Callable[[], list[Figure]], of: str
) -> None:
    """The same of a larger protocol: a later quick one of the same basis, `of`, does not replace it."""
    _kept(folder, f"{PREFIX}{what}{FULL}-{name}", model_id, key, measure, of)


def _kept(folder: Path, name: str, model_id: str, key: str, measure: Callable[[], list[Figure]], of: str) -> None:
    def compute(part: Partition) -> None:
        write_shard(part.folder, "evaluation", columns(model_id, measure()))
        (part.folder / BASIS).write_text(of, encoding="utf-8")

    stage(folder, name, key, [model_id], compute)


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

"""EDGE: measures as parts of the output folder: one for each model and measure, published with the database."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from indexer.config.config import Config, Recipe, described
from indexer.database.evaluations import BASIS, FULL, PREFIX, evaluation_parts
from indexer.database.publish import publish, shards_of
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import read_current
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.statistics.figures import Figure, columns
from indexer.figures.stage import PREFIX as GIVEN
from indexer.figures.stage import Figures, figure_parts
from indexer.journal.part import Partition
from indexer.journal.stages import finished, key, stage
from indexer.size.member import Member

Tables = Callable[[Sequence[Figure]], Mapping[str, dict[str, list[object]]]]  # figures -> other tables that say them


def measured(
    folder: Path, what: str, name: str, model_id: str, made_of: str, measure: Callable[[], list[Figure]]
) -> None:
    """One measure of one model, taken if need be; made_of: key of everything that it depends on."""
    _kept(folder, f"{PREFIX}{what}-{name}", model_id, made_of, measure, "")


def measured_at(
    scale: Scale,
    folder: Path,
    what: str,
    of: Member,
    made_of: str,
    measure: Callable[[], list[Figure]],
    recipe: Recipe | None = None,
    tables: Tables = lambda figures: {},
) -> None:
    """The same at a scale: a later quick one of the same basis, the size and what it is trained by, does not replace a
    full one. tables: what is written beside the figures."""
    basis = key(base=of.base_key, recipe=recipe) if recipe else of.base_key
    name = f"{PREFIX}{what}{FULL if scale.full else ''}-{of.entry.name}"
    _kept(folder, name, of.loaded.weights_hash, made_of, measure, basis, tables)


def _kept(
    folder: Path,
    name: str,
    model_id: str,
    made_of: str,
    measure: Callable[[], list[Figure]],
    basis: str,
    tables: Tables = lambda figures: {},
) -> None:
    def compute(part: Partition) -> None:
        figures = measure()
        write_shard(part.folder, "evaluation", columns(model_id, figures))
        for table, of in tables(figures).items():
            write_shard(part.folder, table, of)
        (part.folder / BASIS).write_text(basis, encoding="utf-8")

    stage(folder, name, made_of, [model_id], compute)


def publish_with(folder: Path, config: Config, model_ids: Sequence[str], figures: Figures = ()) -> Path | None:
    """The current database once more with these measures; None when there is none yet, `build` then adds them.

    figures: of these models, measured elsewhere.
    """
    current = read_current(folder)
    if current is None:
        return None
    shown = set(current.shards)
    others = [
        part
        for part in finished(folder)
        if not part.stage.startswith(PREFIX)
        and not (part.stage.startswith(GIVEN) and part.part in model_ids)
        and (of := shards_of(part))
        and of <= shown  # one alone may be a shard without rows, which many parts have
    ]
    measures = [*evaluation_parts(folder, model_ids), *figure_parts(folder, figures)]
    return publish(folder, [*others, *measures], described(config))

"""EDGE: what heads and neurons did for all answers of a size, some answers a partition."""

from collections.abc import Callable, Sequence
from pathlib import Path

from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.inside.answered import inside
from indexer.inside.components import baseline_key, within
from indexer.inside.rows import TABLES, columns_by_table
from indexer.inside.split import Split
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.tracing.prompt_rows import joined

TOGETHER = 16  # answers of a partition


def answered(
    folder: Path, split: Split, components: Finished, answers: Sequence[Answer], tick: Callable[[int], None]
) -> list[Finished]:
    """Shards of `TABLES`; `tick(1)` after every answer.    components: of `indexer.inside.components`"""
    member, settings = split.member, split.member.config.inside
    groups = [answers[i : i + TOGETHER] for i in range(0, len(answers), TOGETHER)]
    by_name = {key(of=[_digest(each) for each in group]): group for group in groups}
    of = within(split, components)

    def compute(part: Partition) -> None:
        found = []
        for each in by_name[str(part.value)]:
            found.append(columns_by_table(each, inside(of, each), member.words))
            tick(1)
        for table in TABLES:
            write_shard(part.folder, table, joined([columns[table] for columns in found]))

    def done(part: Finished, fresh: bool) -> None:
        tick(0 if fresh else len(by_name[str(part.part)]))

    made_of = key(
        base=member.base_key,
        settings=[settings.neurons, settings.measured, settings.heads, settings.attention],
        baseline=baseline_key(split, components),
        split=dict(split.columns()),
        tables=columns_of(*TABLES),
    )
    return stage(folder, f"inside-{member.entry.name}", made_of, list(by_name), compute, done=done, away=True)


def _digest(answer: Answer) -> list[str | None]:
    return [answer.generation_id, answer.prompt.foil, answer.prompt.foil_of]

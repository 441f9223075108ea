"""EDGE: the stage of a size's target sets, each a part; and what it has left for `select`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.groups.grouped import Grouped, grouped_before
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, found, key, stage
from indexer.sets.rows import curve_columns, group_columns, influence_columns, target_columns
from indexer.sets.scored import ScoredSet, groups_of, scored_set
from indexer.sets.texts import ReadSet
from indexer.size.fitted import Fitted
from indexer.tracing.traced import Traced

KEPT = "estimates.npz"  # beside the shards: of all documents, and of the null sample
Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class KeptSet:
    """What the stage has left of all documents of a size, in corpus order."""

    estimates: Numbers  # [D] nats, NaN for a repeated document
    scores: Numbers  # [D] nats, NaN where only an estimate is known
    null: Numbers  # [R] exact scores of random documents, nats


def set_stage(
    folder: Path,
    traced: Traced,
    sets: Sequence[ReadSet],
    tick: Callable[[int], None] = lambda n: None,
    grouped: Grouped | None = None,
) -> list[Finished]:
    """Shards of every set; `tick(1)` after each.    grouped: the groups that a set is to have rows of"""
    by_name = {each.of.name: each for each in sets}

    def compute(part: Partition) -> None:
        made = scored_set(traced, by_name[str(part.value)])
        write_set(part.folder, traced.fitted.run, traced, made, grouped)
        np.savez(part.folder / KEPT, estimates=made.estimates, scores=made.scores, null=made.null.scores)

    # a set is not computed anew where another one is changed
    made_of = {each.of.name: key_of(traced.fitted, each, grouped) for each in sets}
    return stage(folder, _stage(traced.fitted), made_of, list(by_name), compute, away=True, done=lambda *_: tick(1))


def set_before(folder: Path, fitted: Fitted, of: ReadSet) -> KeptSet:
    """What a build has left of a set; raises BadInput, with the command that builds it, where there is none."""
    made_of = key_of(fitted, of, grouped_before(folder, fitted))
    [part] = found(folder, _stage(fitted), made_of, [of.of.name])
    with np.load(part.folder / KEPT) as stored:
        return KeptSet(stored["estimates"], stored["scores"], stored["null"])


def _stage(fitted: Fitted) -> str:
    return f"set-{fitted.member.entry.name}"


def write_set(folder: Path, run: str, traced: Traced, of: ScoredSet, grouped: Grouped | None) -> None:
    """The rows of one set and one run."""
    write_shard(folder, "set_target", target_columns(run, of))
    write_shard(folder, "set_influence", influence_columns(run, of, traced.norms, traced.ids))
    write_shard(folder, "set_curve", curve_columns(run, of))
    if grouped is not None:
        write_shard(folder, "set_group", group_columns(run, of, groups_of(grouped, of)))


def key_of(fitted: Fitted, of: ReadSet, grouped: Grouped | None, **more: object) -> str:
    """Of what the rows of a set depend on; more: besides what those of the first run do."""
    tables = ["set_target", "set_influence", "set_curve"]
    groups: dict[str, object] = {}
    if grouped is not None:
        tables.append("set_group")
        groups["groups"] = grouped.digest
    return key(
        run=fitted.run,
        index=fitted.member.config.index,
        texts=of.digest,
        scored=of.of.scored,
        against=of.of.against.name if of.of.against else "",
        tables=columns_of(*tables),
        **groups,
        **more,
    )

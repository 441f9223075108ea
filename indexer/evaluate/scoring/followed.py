"""EDGE: what SOURCE says, a part for each segment of the training, shared out among processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.exact.checkpoints import Checkpoint
from indexer.config.config import Config, Model
from indexer.config.estimator import estimators
from indexer.corpus.stored import at_hand
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.given import Evaluated
from indexer.evaluate.scoring.gradient_scores import Scored, Tick, kinds_of, scored
from indexer.journal.part import Partition
from indexer.journal.stages import found, is_finished, key, stage
from indexer.processes.at_once import at_once
from indexer.processes.side_by_side import side_by_side
from indexer.size.checkpoints import steps
from indexer.size.factors import fit
from indexer.size.member import Member, open_member

NAME = "source"  # of the estimator


@dataclass(frozen=True)
class Work:
    """One segment, for a process that opens the models itself."""

    stage: str
    key: str
    number: int
    entry: Model  # with its checkpoints
    config: Config
    asked: tuple[Question, ...]

    @property
    def part(self) -> tuple[str, str, list[str | int]]:
        return self.stage, self.key, [self.number]


def followed_scores(folder: Path, what: str, of: Evaluated, asked: Sequence[Question], tick: Tick) -> Scored:
    """The sum over all segments; `tick(n)` after n documents."""
    member, models = of.fitted.member, [*of.early, of.fitted]
    made_of = key(
        runs=[each.run for each in models],
        steps=steps(member),
        asked=[[each.ids, each.first] for each in asked],
        corpus=member.corpus.hash,
    )
    name = f"scored-{what}-{member.entry.name}.{NAME}"
    work = [Work(name, made_of, n, member.entry, member.config, tuple(asked)) for n in range(len(models))]
    missing = [each for each in work if not is_finished(folder, *each.part)]
    n_documents = len(member.documents)
    tick(n_documents * (len(work) - len(missing)))
    n_processes = at_once(member.config.device, member.loaded.device.type, member.loaded.n_params)
    if n_processes > 1 and len(missing) > 1:
        side_by_side(partial(_open_and_score, folder), missing, n_processes, lambda: tick(n_documents))
    else:
        segments = estimators()[NAME].checkpoints(folder, of.fitted) if missing else []
        for each in missing:
            _score(folder, member, segments[each.number], each)
            tick(n_documents)
    values = [_read(folder, each) for each in work]
    return Scored(np.sum(values, axis=0, dtype=np.float32), kinds_of(member.tracked))


def _open_and_score(folder: Path, work: Work) -> None:
    """In a process of its own."""
    member = open_member(work.entry, work.config, partial(at_hand, work.config.output.folder))
    _score(folder, member, estimators()[NAME].checkpoints(folder, fit(folder, member))[work.number], work)


def _score(folder: Path, of: Member, at: Checkpoint, work: Work) -> None:
    """The curvatures are ready before the stage begins: a stage inside another gives up the outer claim."""
    member = of if at.tracked is of.tracked else replace(of, tracked=at.tracked)

    def compute(part: Partition) -> None:
        scores = scored(member, {NAME: at.preconditioner}, work.asked, last=at.asked)
        np.save(part.folder / "scores.npy", scores[NAME].values)

    stage(folder, *work.part, compute)


def _read(folder: Path, work: Work) -> NDArray[np.float32]:
    """[Q, D, C]"""
    [part] = found(folder, *work.part)
    values: NDArray[np.float32] = np.load(part.folder / "scores.npy")
    return values

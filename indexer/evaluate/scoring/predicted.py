"""EDGE: what every method says, with a line of progress: the size is made ready and asked."""

from collections.abc import Sequence
from pathlib import Path

from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.predictions import Predicted, predictions
from indexer.evaluate.scoring.subject import subject
from indexer.processes.progress import Reporter
from indexer.size.member import Member


def predicted_by(
    folder: Path,
    member: Member,
    asked: Sequence[Question],
    what: str,
    report: Reporter,
    dampings: tuple[float, ...] = (),
    turned: bool = False,
) -> Predicted:
    """Fitted and computed if need be.    what: the measure that asks"""
    n_passes = 2 + len(member.entry.checkpoints) + turned
    with report.task(f"{member.entry.name}: predictions for {what}", n_passes) as task:
        ready = subject(folder, member, dampings, turned)
        return predictions(folder, ready, asked, what, lambda n: task.tick(n / len(member.rows)))

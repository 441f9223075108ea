"""Whole groups of a size: the stages, in order."""

from collections.abc import Sequence
from pathlib import Path

from indexer.groups.grouped import Grouped, grouped
from indexer.groups.stage import group_stage
from indexer.groups.sums import Watch
from indexer.journal.stages import Finished, NotFinished
from indexer.processes.progress import Reporter
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.tracing.traced import Traced


def build_sums(folder: Path, fitted: Fitted, seen: Watch | None, report: Reporter) -> Grouped | None:
    """Their gradients; None where there are no groups, or where nothing may be computed and they are missing: a build
    from before stays what it is.    seen: of the corpus pass"""
    try:
        with report.task(f"{fitted.member.entry.name}: groups", fitted.member.n_documents) as task:
            return grouped(folder, fitted, seen, task.tick)
    except NotFinished:
        return None


def build_groups(
    folder: Path,
    traced: Traced,
    of: Grouped | None,
    answers: Sequence[Answer],
    scored: Sequence[Finished],
    report: Reporter,
) -> list[Finished]:
    """What they did for every token."""
    if of is None:
        return []
    try:
        with report.task(f"{traced.fitted.member.entry.name}: influence of groups", len(answers)) as task:
            return group_stage(folder, traced, of, answers, scored, task.tick)
    except NotFinished:
        return []

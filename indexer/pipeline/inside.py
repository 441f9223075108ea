"""What heads and neurons of a size do: the stages, in order."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from indexer.inside.activity import Watcher, watched
from indexer.inside.components import components
from indexer.inside.split import Split
from indexer.inside.stage import answered
from indexer.inside.taught import taught_stage
from indexer.journal.stages import Finished, NotFinished
from indexer.processes.progress import Reporter
from indexer.size.answers import Answer
from indexer.tracing.traced import Traced


def watching(split: Split | None) -> list[Callable[[], Watcher]]:
    """Who looks at the corpus pass; none where nobody has to."""
    corpus = watched(split.member, split.whole) if split is not None and split.whole is not None else None
    return [] if split is None or corpus is None else [partial(Watcher, split.member, corpus)]


def build_inside(
    folder: Path,
    split: Split,
    answers: Sequence[Answer],
    report: Reporter,
    traced: Traced | None = None,
    passed: Sequence[Finished] = (),
    scored: Sequence[Finished] = (),
) -> list[Finished]:
    """The components, what they did for every answer, and what was learned through them; a finished stage is not done
    again. None of it where nothing may be computed and a part is missing: a build from before stays what it is.

    passed, scored: parts of the corpus pass and of the influence stage; none, and no `traced`, where no influence is
    computed.
    """
    name, member = split.member.entry.name, split.member
    try:
        with report.task(f"{name}: components", member.n_documents) as task:
            described = components(folder, split, passed, task.tick)
        with report.task(f"{name}: inside", len(answers)) as task:
            found = answered(folder, split, described, answers, task.tick)
        if traced is None or split.whole is None:
            return [described, *found]
        with report.task(f"{name}: taught", sum(each.n_targets for each in answers)) as task:
            return [described, *found, *taught_stage(folder, traced.fitted, split.whole, answers, scored, task.tick)]
    except NotFinished:
        return []

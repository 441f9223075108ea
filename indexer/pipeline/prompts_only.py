"""A size without influence: its answers and what the prompts did for them. For models whose training documents are not
at hand (`[scores] method = []`)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from indexer.corpus.prompt import Prompt
from indexer.inside.split import split
from indexer.pipeline.described import plain_description
from indexer.pipeline.inside import build_inside
from indexer.pipeline.report.clock import Clock
from indexer.pipeline.report.facts import facts
from indexer.pipeline.report.summary import Built
from indexer.processes.progress import Reporter
from indexer.size.answers import answers
from indexer.size.member import Member
from indexer.tracing.prompt_share import prompt_shares


def build_prompts_only(folder: Path, member: Member, prompts: Sequence[Prompt], report: Reporter) -> Built:
    """Answers, the prompts' share, the model's row; a finished stage is not done again."""
    name, clock = member.entry.name, Clock()
    with report.task(f"{name}: answers", len(prompts)) as task:
        made, answer_part = answers(folder, member, prompts, task.tick)
    clock.lap("answers")
    with report.task(f"{name}: prompts", len(made)) as task:
        prompt_part = prompt_shares(folder, member, made, task.tick)
    clock.lap("prompts")
    within = build_inside(folder, split(member), made, report) if member.config.inside.enabled else []
    clock.lap("inside")
    parts = [plain_description(folder, member), answer_part, prompt_part, *within]
    n_tokens = sum(each.n_targets for each in made)
    known = replace(facts(made, []), ranks=())  # nothing was ranked
    return Built(name, parts, clock.seconds, n_tokens, 0, 0, known)

"""All stages of one size, in order."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from indexer.config.estimator import estimators
from indexer.corpus.prompt import Prompt
from indexer.groups.regime import regime
from indexer.groups.sums import Watch, watch
from indexer.inside.split import split
from indexer.journal.stages import Finished, finished
from indexer.pipeline.described import description
from indexer.pipeline.groups import build_groups, build_sums
from indexer.pipeline.inside import build_inside, watching
from indexer.pipeline.other_runs import other_run, run_of
from indexer.pipeline.prompts_only import build_prompts_only
from indexer.pipeline.report.clock import Clock
from indexer.pipeline.report.facts import facts
from indexer.pipeline.report.summary import Built
from indexer.pipeline.scores import proposed, scores
from indexer.processes.progress import Reporter
from indexer.search.text_index import TextIndex
from indexer.sets.solved import solved_set_stage
from indexer.sets.stage import set_stage
from indexer.sets.texts import read_sets
from indexer.size.answers import answers
from indexer.size.corpus_pass import Watching, pass_over_corpus
from indexer.size.factors import factors_stage, fit, seconds_of
from indexer.size.index import open_index
from indexer.size.member import Member
from indexer.size.preferences import store_preferences
from indexer.tracing.lexical import kept_lexical
from indexer.tracing.prompt_share import prompt_shares
from indexer.tracing.traced import Traced
from indexer.verbatim.stage import verbatim_stage


def build_size(folder: Path, member: Member, prompts: Sequence[Prompt], text: TextIndex, report: Reporter) -> Built:
    """Factors, answers, corpus pass, influence, description; a finished stage is not done again."""
    if not member.config.scores.method:
        return build_prompts_only(folder, member, prompts, report)
    name, clock = member.entry.name, Clock()
    judged = []
    if member.learned_pairs:
        with report.task(f"{name}: pairs", 2 * member.n_documents) as task:
            judged = store_preferences(folder, member, task.tick)
        clock.lap("pairs")
    with report.task(f"{name}: factors", 100) as task:
        fitted = fit(folder, member, task.tick)
    clock.lap("factors")
    with report.task(f"{name}: answers", len(prompts)) as task:
        made, answer_part = answers(folder, member, prompts, task.tick)
    clock.lap("answers")
    with report.task(f"{name}: prompts", len(made)) as task:
        prompt_part = prompt_shares(folder, member, made, task.tick)
    clock.lap("prompts")
    parted = split(member) if member.config.inside.enabled else None
    seen = watch(folder, fitted)
    with report.task(f"{name}: corpus pass", member.n_documents) as task:
        watchers: list[Callable[[], Watching]] = [*watching(parted)]
        watchers += [] if seen is None else [partial(Watch.itself, seen)]
        numbers, norm_parts = pass_over_corpus(folder, fitted, task.tick, watchers)
    clock.lap("corpus pass")
    grouped = build_sums(folder, fitted, seen, report)
    del seen, watchers  # what is added up there is as large as the gradients of all groups
    clock.lap("groups")
    n_tokens = sum(each.n_targets for each in made)
    with report.task(f"{name}: influence", n_tokens) as task:
        traced = Traced(fitted, numbers, open_index(folder, fitted))
        proposals, units = kept_lexical(folder, member, made, text), parted.whole if parted else None
        scored = scores(folder, traced, made, proposals, task.tick, units, grouped)
    clock.lap("influence")
    of_groups = build_groups(folder, traced, grouped, made, scored, report)
    clock.lap("groups")
    asked = []
    if sets := read_sets(member):
        with report.task(f"{name}: target sets", len(sets)) as task:
            asked = set_stage(folder, traced, sets, task.tick, grouped)
        clock.lap("target sets")
    with report.task(f"{name}: verbatim", len(made)) as task:
        copied = verbatim_stage(folder, member, made, scored)
        task.tick(len(made))
    clock.lap("verbatim")
    within = build_inside(folder, parted, made, report, traced, norm_parts, scored) if parted else []
    clock.lap("inside")
    others, by_label = [], dict[str, Finished]()
    found = proposed(traced, made, scored)
    for method in member.config.scores.method[1:]:
        by = estimators()[method]
        if by.applies(member):
            with report.task(f"{name}: {method}", 1) as task:
                by_label[by.label] = other_run(folder, fitted, by, numbers, made, found)
                task.tick()
            if by.sets and sets:
                with report.task(f"{name}: target sets, {method}", len(sets)) as task:
                    run = run_of(fitted, by)
                    others += solved_set_stage(folder, traced, sets, run, task.tick, grouped, report.say)
            clock.lap(method)
    behind = [*judged, answer_part, prompt_part, *norm_parts, *scored, *asked]
    seconds = sum(map(seconds_of, finished(folder, factors_stage(name)))) + sum(part.seconds for part in behind)
    about = description(folder, fitted, seconds, regime(folder, fitted, grouped, numbers))
    others += by_label.values()
    parts = [about, answer_part, prompt_part, *norm_parts, *scored, *of_groups, *copied, *asked, *within, *others]
    told = facts(made, scored, by_label)
    return Built(name, parts, clock.seconds, n_tokens, member.n_cut, len(numbers.skipped), told)

"""EDGE: `evaluate`: measures what can be measured of every chosen model, publishes it with the database, prints it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from indexer.config.config import Config, Model
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.database.evaluations import PREFIX, evaluation_parts
from indexer.evaluate.few_documents import measure_few_documents
from indexer.evaluate.index_quality import measure_index
from indexer.evaluate.pbrf import measure_pbrf
from indexer.evaluate.protocol.published import measured as kept
from indexer.evaluate.protocol.published import publish_with
from indexer.evaluate.protocol.scale import FULL, QUICK, Scale, recipe_of
from indexer.evaluate.select_quality import measure_choosing
from indexer.evaluate.statistics.best_method import best
from indexer.evaluate.statistics.figures import Figure, restored
from indexer.evaluate.with_training import measure_with_training
from indexer.evaluate.without_topic import measure_without_topic
from indexer.evaluate.without_training import measure_facts, measure_stability
from indexer.figures.stage import given_figures, save_figures
from indexer.journal.lock import lock, stop_on_signal
from indexer.journal.stages import key
from indexer.processes.at_once import at_once
from indexer.processes.progress import Report, timed
from indexer.size.member import Member, open_member
from indexer.size.rendered import as_read
from indexer.size.supported import with_supports
from indexer.training.store import kept_checkpoints

TRAINING = "LDS, removal, single documents, planted and mislabelled facts, chosen documents, PBRF"
BEST = f"{PREFIX}best-"  # stages of what is concluded from the figures


def run(config: Config, chosen: Sequence[Model], full: bool, save: Path | None = None, command: str = "") -> None:
    """Facts and tail patch of every size (quick: of the smallest), the rest with siblings of the smallest recipe.

    save: where the figures are written too, with the command that measured them.
    """
    scale = FULL if full else QUICK
    members = sorted((open_member(_whole(entry), config) for entry in chosen), key=lambda each: each.loaded.n_params)
    asked = {
        each.entry.name: as_read(each, with_supports(each, read_prompts(each.entry.prompts or config.prompts.file)))
        for each in members
    }
    folder = config.output.folder
    figures, told = given_figures(config, members)
    with lock(folder), stop_on_signal(), Report() as report:
        for line in told:
            report.say(line)
        measured = members if full else members[:1]
        for member in measured:
            for stage in member.stages:
                stage.keep_texts()
            with timed(report, f"{member.entry.name}: fact tracing and tail patch"):
                measure_facts(folder, member, asked[member.entry.name], report)
        again = next((each for each in members if each.entry.recipe and each.parent is None), None)
        for member in members:
            if member is not again:
                report.say(f"{member.entry.name}: not trained again ({TRAINING}): {_reason(member, again)}")
        if again is not None:
            _train_again(config, again, asked[again.entry.name], scale, report)
        for member in measured:
            with timed(report, f"{member.entry.name}: the index"):
                measure_index(folder, member, scale, report)
        _decide(config, members, report)
        path = publish_with(folder, config, [each.loaded.weights_hash for each in members], figures)
        report.say(
            f"database: {path}" if path else "no database is published yet: `whence build` adds these figures to it"
        )
        if save is not None:
            save_figures(save, folder, members, command)
            report.say(f"figures: {save}")


def _whole(entry: Model) -> Model:
    """Where a size lists no checkpoints, those that its training kept: what they would be worth is measured."""
    return entry if entry.checkpoints else replace(entry, checkpoints=kept_checkpoints(Path(entry.path)))


def _train_again(config: Config, of: Member, prompts: Sequence[Prompt], scale: Scale, report: Report) -> None:
    recipe = of.entry.recipe
    assert recipe is not None  # noqa: S101 - chosen for it
    folder = config.output.folder
    n_processes = at_once(config.device, "cpu", of.loaded.n_params)  # where training is
    name = of.entry.name
    sibling, asked = measure_with_training(folder, of, recipe, prompts, scale, n_processes, report)
    with timed(report, f"{name}: few documents"):
        measure_few_documents(folder, of, recipe, scale, n_processes, report)
    with timed(report, f"{name}: chosen documents"):
        measure_choosing(folder, of, sibling, recipe, scale, n_processes, report)
    with timed(report, f"{name}: stability"):
        measure_stability(folder, sibling, asked, of, scale, report)
    with timed(report, f"{name}: PBRF"):
        measure_pbrf(folder, of, recipe, scale, n_processes, report)
    itself = (of, recipe) if scale.full else (sibling, recipe_of(recipe, scale))
    with timed(report, f"{name}: without a topic"):
        measure_without_topic(folder, of, *itself, prompts, scale, n_processes, report)


def _reason(member: Member, again: Member | None) -> str:
    if member.entry.recipe is None:
        return "it has no [model.recipe]"
    if member.parent is not None:
        return "it is fine-tuned"
    return f"one size is enough, {again.entry.name if again else ''} is the smallest"


def _decide(config: Config, members: Sequence[Member], report: Report) -> None:
    """Print every figure, and keep which method is best for which question."""
    folder = config.output.folder
    for member in members:
        model_id, name = member.loaded.weights_hash, member.entry.name
        figures = _figures(config, model_id)
        if not figures:
            continue
        found = best(figures)
        made_of = key(figures=[[each.method, each.metric, each.value] for each in figures])
        kept(folder, "best", name, model_id, made_of, partial(list, found))
        for each in [*figures, *found]:
            report.say(f"{name:12} {each.metric:28} {each.method:40} {interval(each)}")


def _figures(config: Config, model_id: str) -> list[Figure]:
    parts = [each for each in evaluation_parts(config.output.folder, [model_id]) if not each.stage.startswith(BEST)]
    rows = [row for part in parts for row in pq.read_table(part.folder / "evaluation.parquet").to_pylist()]
    return sorted((restored(row) for row in rows), key=lambda each: (each.metric, -each.value))


def interval(of: Figure) -> str:
    """The value, and its interval where there is one."""
    return f"{of.value:.3f}" if of.low is None else f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})"

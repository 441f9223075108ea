"""EDGE: `build`: every stage for every size, smallest first; a first build publishes each size once it is finished."""

import time
from collections.abc import Sequence
from pathlib import Path

from attribution.sequence import encode_prompt
from indexer.build.answers import answers
from indexer.build.candidates import candidates
from indexer.build.described import description, stage_name
from indexer.build.factors import fit
from indexer.build.facts import facts
from indexer.build.member import Member, open_member
from indexer.build.norms import norms
from indexer.build.scores import scores
from indexer.build.shared import document_part, prompt_part, text_index
from indexer.build.summary import Built, Summary, show
from indexer.config import Config, Model, described
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.database.publish import publish
from indexer.journal import Finished, finished
from indexer.lock import lock, stop_on_signal
from indexer.progress import Report
from indexer.textindex import TextIndex


def run(config: Config, path: Path, chosen: Sequence[Model], strict: bool) -> None:
    """Build what is not built, publish, print the summary. All input is read and checked before anything is written."""
    wanted = dict.fromkeys([config.corpus.files, *(entry.files for entry in chosen)])
    corpora = [read_corpus(files, strict) for files in wanted if files]
    asked = {entry.name: read_prompts(entry.prompts or config.prompts.file) for entry in chosen}
    members = sorted((open_member(entry, config) for entry in chosen), key=_order)
    for member in members:
        check_prompts(member, asked[member.entry.name])
    folder = config.output.folder
    summary = Summary(path, folder, corpora, sum(len(prompts) for prompts in set(asked.values())))
    with lock(folder), stop_on_signal(), Report() as report:
        prompts = {prompt.prompt_id: prompt for of in asked.values() for prompt in of}
        parts, text = _shared(folder, corpora, list(prompts.values()), report)
        with report.task("build", len(members), quiet=True) as whole:
            for n_built, member in enumerate(members, start=1):
                made = _size(folder, member, asked[member.entry.name], text, report)
                parts += made.parts
                summary.sizes.append(made)
                if not any(finished(folder, stage_name(later)) for later in members[n_built:]):  # none was there before
                    summary.snapshot = publish(folder, parts, described(config))
                whole.tick()
        show(summary, report)


def check_prompts(member: Member, prompts: Sequence[Prompt]) -> None:
    """Raises BadInput for a prompt that does not fit into the context of a size, before any work is done."""
    for prompt in prompts:
        encode_prompt(prompt.text, member.loaded.tokenizer, member.loaded.context)


def _order(member: Member) -> tuple[int, int]:
    """Smallest first, a parent before its child."""
    return member.loaded.n_params, 0 if member.parent is None else 1


def _shared(
    folder: Path, corpora: Sequence[CorpusReading], prompts: Sequence[Prompt], report: Report
) -> tuple[list[Finished], TextIndex]:
    n_documents = sum(len(corpus.documents) for corpus in corpora)
    with report.task("text index", n_documents) as task:
        parts = [document_part(folder, corpora), prompt_part(folder, prompts)]
        text = text_index(folder, corpora)
        task.tick(n_documents)
    return parts, text


def _size(folder: Path, member: Member, prompts: Sequence[Prompt], text: TextIndex, report: Report) -> Built:
    """All stages of one size."""
    name, clock = member.entry.name, Clock()
    with report.task(f"{name}: factors", 1) as task:
        fitted = fit(folder, member)
        task.tick()
    clock.lap("factors")
    with report.task(f"{name}: answers", len(prompts)) as task:
        made, answer_part = answers(folder, member, prompts, task.tick)
    clock.lap("answers")
    with report.task(f"{name}: corpus pass", member.n_train) as task:
        numbers, norm_part = norms(folder, fitted, task.tick)
    clock.lap("corpus pass")
    n_tokens = sum(each.n_targets for each in made)
    with report.task(f"{name}: influence", n_tokens) as task:
        found = candidates(member, made, text)
        scored = scores(folder, fitted, numbers, made, found, task.tick)
    clock.lap("influence")
    described_part = description(folder, fitted, sum(clock.seconds.values()))
    parts = [described_part, answer_part, norm_part, *scored]
    traced = facts(made, scored)
    return Built(name, parts, clock.seconds, n_tokens, member.n_cut, len(numbers.skipped), traced)


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now

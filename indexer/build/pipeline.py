"""EDGE: `build`: every stage for every size, smallest first; a first build publishes each size once it is finished."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attribution.errors import BadInput
from indexer.build.answers import answers
from indexer.build.crew import Order, build_sizes
from indexer.build.described import stage_name
from indexer.build.member import Member, open_member
from indexer.build.readings import Readings
from indexer.build.rendered import rendered
from indexer.build.shared import document_part, prompt_part, text_index
from indexer.build.size import build_size
from indexer.build.summary import Built, Summary, show
from indexer.config import Config, Model, described
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.database.publish import publish
from indexer.evaluate.published import evaluation_parts
from indexer.journal import Finished, finished
from indexer.lock import lock, stop_on_signal
from indexer.progress import Report
from indexer.textindex import TextIndex


def run(config: Config, path: Path, chosen: Sequence[Model], strict: bool) -> None:
    """Build what is not built, publish, print the summary. All input is read and checked before anything is written."""
    wanted = dict.fromkeys([config.corpus.files, *(entry.files for entry in chosen)])
    corpora = [read_corpus(files, strict) for files in wanted if files]
    asked = {entry.name: read_prompts(entry.prompts or config.prompts.file) for entry in chosen}
    members = in_order([open_member(entry, config) for entry in chosen])
    _check_distinct(members)
    n_asked = sum(len(prompts) for prompts in set(asked.values()))
    for member in members:
        asked[member.entry.name] = as_read(member, asked[member.entry.name])
    folder = config.output.folder
    summary = Summary(path, folder, corpora, n_asked)
    with lock(folder), stop_on_signal(), Report() as report:
        prompts = {prompt.prompt_id: prompt for of in asked.values() for prompt in of}
        parts, text = _shared(folder, corpora, list(prompts.values()), report)
        parts += evaluation_parts(folder, [member.loaded.weights_hash for member in members])
        by_name = {member.entry.name: member for member in members}
        waiting = list(by_name)
        readings = Readings(folder, lambda member: answers(folder, member, asked[member.entry.name], _silent)[0])
        with report.task("build", len(members), quiet=True) as whole:
            for made in _sizes(members, asked, text, report):
                parts += made.parts
                summary.sizes.append(made)
                waiting.remove(made.name)
                readings.add(by_name[made.name])
                if not any(finished(folder, stage_name(later)) for later in waiting):  # a reader never loses a size
                    summary.snapshot = publish(folder, [*parts, *readings.parts], described(config))
                whole.tick()
        show(summary, report)


def _silent(_n: int) -> None:
    """Progress that nobody needs to see: the answers are found, not made."""


def _sizes(
    members: Sequence[Member], asked: Mapping[str, tuple[Prompt, ...]], text: TextIndex, report: Report
) -> Iterator[Built]:
    """Every size built: in this process, or several side by side."""
    config = members[0].config
    at_once = config.device.processes or (1 if members[0].loaded.device.type == "cuda" else os.cpu_count() or 1)
    n_processes = min(at_once, len(members))
    if n_processes > 1:
        yield from build_sizes([Order(m.entry, config, asked[m.entry.name]) for m in members], n_processes, report)
        return
    for member in members:
        yield build_size(config.output.folder, member, asked[member.entry.name], text, report)


def _check_distinct(members: Sequence[Member]) -> None:
    """Raises BadInput for two entries with the same weights: a model's id is the hash of its weights."""
    names: dict[str, str] = {}
    for member in members:
        name = names.setdefault(member.loaded.weights_hash, member.entry.name)
        if name != member.entry.name:
            raise BadInput(f"expected models of different weights, found those of {name} again in {member.entry.name}")


def as_read(member: Member, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Every prompt as a size reads it. Raises BadInput for one that it cannot read, before any work is done."""
    return tuple(rendered(prompt, member.loaded, member.config.prompts) for prompt in prompts)


def in_order(members: Sequence[Member]) -> list[Member]:
    """As they are built."""
    return sorted(members, key=_order)


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

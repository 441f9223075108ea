"""EDGE: `build`: every stage for every size, smallest first; a first build publishes each size once it is finished."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from attribution.errors import BadInput
from attribution.loading.located import locate, tokenizer_place
from indexer.config.config import Config, Model, described
from indexer.config.estimator import check_needs
from indexer.config.text_engine import text_engine
from indexer.corpus.corpus import grouping
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.corpus.supports import Supports
from indexer.database.publish import publish
from indexer.engines.driver import Driver, check_installed, driving
from indexer.figures.stage import given_figures
from indexer.groups.described import every_group, group_part
from indexer.journal.lock import lock, stop_on_signal
from indexer.journal.stages import Finished, finished
from indexer.pipeline.crew import Order, build_sizes
from indexer.pipeline.described import stage_name
from indexer.pipeline.edition import Edition
from indexer.pipeline.on_engine import build_on
from indexer.pipeline.on_node import work
from indexer.pipeline.one_size import build_size
from indexer.pipeline.other_sizes import as_it_was_built, built_before
from indexer.pipeline.report.summary import Built, Summary, show
from indexer.pipeline.shared import document_part, text_index
from indexer.processes.at_once import at_once
from indexer.processes.progress import Report
from indexer.search.text_index import TextIndex
from indexer.sets.texts import read_sets, read_texts
from indexer.size.member import Member, open_member
from indexer.size.rendered import as_read
from indexer.size.room import check_longest
from indexer.size.supported import with_supports
from indexer.size.texts import forget
from indexer.tracing.prompt_share import maps_left_out, maps_of
from indexer.verbatim import arrays


def run(config: Config, path: Path, chosen: Sequence[Model], strict: bool) -> None:
    """Build what is not built, publish, print the summary. All input is read and checked before anything is written,
    small files before the corpus.

    What is finished of other sizes of the configuration stays in the database.
    """
    check_installed(config.run)
    asked = {entry.name: read_prompts(entry.prompts or config.prompts.file) for entry in chosen}
    _check_places(config, chosen)
    others = built_before(config, chosen)
    entries = [*chosen, *(other.member.entry for other in others)]
    wanted = dict.fromkeys([config.corpus.files, *(entry.files for entry in config.model if entry in entries)])
    folder = config.output.folder
    groups = grouping(config.groups.by)
    by_files = {
        files: read_corpus(files, config.corpus.text, groups, strict=strict, near=folder) for files in wanted if files
    }
    corpora = list(by_files.values())
    every_group(corpora, config.groups.by)  # refuses a column of too many values
    members = in_order([open_member(entry, config, lambda files, *_: by_files[tuple(files)]) for entry in chosen])
    _check_distinct([*members, *(other.member for other in others)])
    figures, told = given_figures(config, [*members, *(other.member for other in others)])
    told += _unknown(config, chosen, corpora, asked)
    engine, slow = text_engine(config.corpus.text_engine, sum(len(corpus.documents) for corpus in corpora))
    told += [slow] if slow else []
    n_asked = sum(len(prompts) for prompts in set(asked.values()))
    for member in members:
        member.check_learned()
        asked[member.entry.name] = as_read(member, with_supports(member, asked[member.entry.name]))
        read_sets(member)  # what a size cannot read is refused before anything is written
        check_needs(member)
        maps_of(member)
        told += maps_left_out(member)
    summary = Summary(path, folder, corpora, n_asked)
    with lock(folder), stop_on_signal(), Report() as report, driving(config, work) as driver:
        for line in told:
            report.say(line)
        documents, text = _shared(config, corpora, engine, report)
        _keep_texts(members, [other.member for other in others], report)
        if driver is None:
            _check_documents(members)
        edition = Edition(config, documents, asked, figures)
        by_name = {member.entry.name: member for member in members}
        waiting = list(by_name)
        with report.task("build", len(members), quiet=True) as whole:
            for made in _sizes(members, asked, text, report, driver):
                summary.sizes.append(made)
                waiting.remove(made.name)
                edition.add(by_name[made.name], made, asked[made.name])
                later = [*waiting, *(other.member.entry.name for other in others)]
                if not any(finished(folder, stage_name(name)) for name in later):  # a reader never loses a size
                    summary.snapshot = _published(edition, config, driver)
                whole.tick()
        for other in others:
            kept = as_it_was_built(folder, other, text)
            if kept is None:
                report.say(
                    f"{other.member.entry.name}: not built with these settings, left out; `whence build` builds it"
                )
                continue
            edition.add(other.member, kept, other.prompts)
            summary.kept.append(kept.name)
        if others:
            summary.snapshot = _published(edition, config, driver)
        show(summary, report)


def _check_places(config: Config, chosen: Sequence[Model]) -> None:
    """Raises BadInput for a model that does not lie where it should, and for a target set that cannot be read."""
    for entry in chosen:
        locate(entry.path, entry.base)
        if entry.tokenizer:
            tokenizer_place(entry.tokenizer)
        if entry.reference:
            locate(entry.reference)
    for of in config.targets if config.scores.method else ():
        read_texts(of)


def _keep_texts(members: Sequence[Member], others: Sequence[Member], report: Report) -> None:
    """What training read of the documents, and the suffix arrays over it, once for all sizes that read them alike; what
    none reads goes."""
    if not members[0].config.scores.method:
        return
    stages = {stage.read_as: stage for member in members for stage in member.stages}
    n_documents = sum(stage.n_documents for stage in stages.values())
    with report.task("documents as read", n_documents) as task:
        for stage in stages.values():
            stage.keep_texts(task.tick)
    config, wanted = members[0].config, [*stages, *(s.read_as for other in others for s in other.stages)]
    forget(config.output.folder, wanted)
    if config.verbatim.enabled:
        with report.task("suffix arrays", n_documents) as task:
            for stage in stages.values():
                arrays.keep(config.output.folder, stage, task.tick)
    arrays.forget(config.output.folder, wanted if config.verbatim.enabled else [])


def _check_documents(members: Sequence[Member]) -> None:
    """Raises BadInput for a document of which a pass does not fit this machine, which makes it."""
    if members[0].config.scores.method:
        for stage in (stage for member in members for stage in member.stages):
            check_longest(stage.tracked, stage.texts.rows.shapes, partial(_title, stage))


def _title(stage: Member, i: int) -> str:
    document = stage.corpus.documents[i]
    return document.title or document.document_id


def _unknown(
    config: Config, chosen: Sequence[Model], corpora: Sequence[CorpusReading], asked: Mapping[str, Sequence[Prompt]]
) -> list[str]:
    """A line for each prompt file whose `supports` name what no document is called."""
    supports = Supports(corpora)
    by_file = {entry.prompts or config.prompts.file: asked[entry.name] for entry in chosen}
    return [line for file, prompts in by_file.items() if (line := supports.notice(prompts, file.name))]


def _published(edition: Edition, config: Config, driver: Driver | None) -> Path:
    """The snapshot of what there is so far; in the storage of all nodes too."""
    path = publish(config.output.folder, edition.parts(), described(config))
    return path if driver is None else driver.publish(path)


def _sizes(
    members: Sequence[Member],
    asked: Mapping[str, tuple[Prompt, ...]],
    text: TextIndex,
    report: Report,
    driver: Driver | None,
) -> Iterator[Built]:
    """Every size built: in this process, several side by side, or on other machines."""
    config = members[0].config
    if driver is not None:
        yield from build_on(driver, members, asked, text, report)
        return
    largest = members[-1].loaded
    n_processes = min(at_once(config.device, largest.device.type, largest.n_params), len(members))
    if n_processes > 1:
        shared = replace(config, device=replace(config.device, processes=n_processes))
        yield from build_sizes([Order(m.entry, shared, asked[m.entry.name]) for m in members], n_processes, report)
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


def in_order(members: Sequence[Member]) -> list[Member]:
    """As they are built."""
    return sorted(members, key=_order)


def _order(member: Member) -> tuple[int, int]:
    """Smallest first, a parent before its child."""
    return member.loaded.n_params, member.n_stages


def _shared(
    config: Config, corpora: Sequence[CorpusReading], engine: str, report: Report
) -> tuple[list[Finished], TextIndex]:
    """The documents with their groups, and the text index over them."""
    folder, by = config.output.folder, config.groups.by if config.scores.method else ()
    n_documents = sum(len(corpus.documents) for corpus in corpora)
    with report.task("text index", n_documents) as task:
        parts = [document_part(folder, corpora), *group_part(folder, corpora, by)]
        text = text_index(folder, corpora, engine)
        task.tick(n_documents)
    return parts, text

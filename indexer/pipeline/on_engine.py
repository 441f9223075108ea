"""Sizes one after another, the parts of their long stages computed by the nodes of an engine."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence

from indexer.config.config import Config
from indexer.config.versions import VERSIONS
from indexer.corpus.prompt import Prompt
from indexer.engines.carried import carried
from indexer.engines.driver import Driver
from indexer.engines.hand_out import HandOut
from indexer.journal.away import handing_out
from indexer.journal.stages import Finished
from indexer.pipeline.on_node import Size
from indexer.pipeline.one_size import build_size
from indexer.pipeline.report.summary import Built
from indexer.processes.progress import Report
from indexer.search.text_index import TextIndex
from indexer.size.member import Member


def build_on(
    driver: Driver, members: Sequence[Member], asked: Mapping[str, tuple[Prompt, ...]], text: TextIndex, report: Report
) -> Iterator[Built]:
    """Build every size; yields each when it is finished."""
    config = members[0].config
    report.say(f"{config.run.engine}: {driver.engine.slots} tasks at once, results in {driver.storage.address}")
    for member in members:
        size = described_size(member, asked[member.entry.name])
        for path, name in size.carried.items():
            driver.storage.carry(path, name)
        hands = HandOut(
            driver.engine,
            driver.storage,
            pickle.dumps(size),
            VERSIONS,
            needed_by(member, config),
            cpus=config.run.cpus,
            retries=config.run.retries,
            still_ours=driver.still_ours,
        )
        with handing_out(hands):
            made = build_size(config.output.folder, member, asked[member.entry.name], text, report)
        yield made


def described_size(member: Member, prompts: tuple[Prompt, ...]) -> Size:
    """What a node has to know of a size."""
    config = member.config
    corpora = {each.entry.files or config.corpus.files: each.corpus.hash for each in member.stages}
    functions = {each.entry.name: each.loaded.function_hash for each in member.stages}
    names = carried(config, [each.entry for each in member.stages])
    return Size(config, member.entry, prompts, corpora, functions, names)


def needed_by(member: Member, config: Config) -> Callable[[Finished], bool]:
    """Whether a finished part is none of another size: stages are called after theirs, and names may hold "-"."""
    own = {each.entry.name for each in member.stages}
    names = sorted((each.name for each in config.model), key=len, reverse=True)

    def needed(part: Finished) -> bool:
        owner = next((n for n in names if part.stage.endswith(f"-{n}") or f"-{n}." in part.stage), "")
        return not owner or owner in own

    return needed

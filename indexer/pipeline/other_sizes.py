"""EDGE: sizes that a build was not asked for: what is finished of them stays in the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attribution.errors import BadInput, Damaged
from indexer.config.config import Config, Model
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.journal.stages import NotFinished, finished, only_finished
from indexer.pipeline.described import stage_name
from indexer.pipeline.one_size import build_size
from indexer.pipeline.report.summary import Built
from indexer.search.text_index import TextIndex
from indexer.size.member import Member, open_member
from indexer.size.rendered import as_read
from indexer.size.supported import with_supports


@dataclass(frozen=True)
class Other:
    """A size that was built before, opened."""

    member: Member
    prompts: tuple[Prompt, ...]


def built_before(config: Config, chosen: Sequence[Model]) -> list[Other]:
    """The sizes of the configuration that are not chosen and whose build was finished once; one that cannot be opened
    any more is left out."""
    found = []
    for entry in config.model:
        if entry in chosen or not finished(config.output.folder, stage_name(entry.name)):
            continue
        try:
            member = open_member(entry, config)
            read = read_prompts(entry.prompts or config.prompts.file)
            prompts = as_read(member, with_supports(member, read))
        except BadInput:
            continue
        found.append(Other(member, prompts))
    return found


def as_it_was_built(folder: Path, other: Other, text: TextIndex) -> Built | None:
    """The size, if all of it is finished, with these weights, documents, prompts and settings; nothing is computed."""
    try:
        with only_finished():
            return build_size(folder, other.member, other.prompts, text, _Silent())
    except (NotFinished, BadInput, Damaged):
        return None


class _Silent:
    """What is found needs no progress."""

    def say(self, line: str) -> None:
        """Nothing is said."""

    @contextmanager
    def task(self, name: str, total: float, *, quiet: bool = False) -> Iterator["_Silent"]:
        yield self

    def tick(self, n: float = 1, note: str = "") -> None:
        """Nothing moves."""

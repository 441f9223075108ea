"""The documents that the prompts of a size mean by `supports`."""

from collections.abc import Iterator, Sequence

from indexer.corpus.prompt import Prompt
from indexer.corpus.reader import CorpusReading
from indexer.corpus.supports import Supports
from indexer.size.member import Member


def with_supports(member: Member, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """The prompts with ids of Whence for what the corpora of the size's stages of training call otherwise."""
    return Supports(_readings(member)).found(prompts)


def _readings(member: Member) -> Iterator[CorpusReading]:
    """Of a stored corpus nothing is known but the ids of Whence."""
    if isinstance(member.corpus, CorpusReading):
        yield member.corpus
    if member.parent is not None:
        yield from _readings(member.parent)

"""EDGE: every size reads what the others wrote after the same prompts: what would it have said there instead?"""

from collections.abc import Callable, Sequence
from math import log
from pathlib import Path

from attribution.prompt.context.read_along import ReadAlong, read_along
from attribution.prompt.text.parts import nothing
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.size.member import Member

NAMES = ("generation_id", "model_id", "position", "logp", "said_text", "said_logp", "bits_nothing", "bits_full")


class Readings:
    """Grows with every size that is built: pairs of sizes that share a tokenizer and a prompt, each read once."""

    def __init__(self, folder: Path, answers_of: Callable[[Member], Sequence[Answer]]) -> None:
        self._folder = folder
        self._answers_of = answers_of
        self._built: list[tuple[Member, Sequence[Answer]]] = []
        self.parts: list[Finished] = []

    def add(self, member: Member) -> None:
        """`member` is built: it reads all before it, and they read it, and it reads itself where it was told what to
        write."""
        written = self._answers_of(member)
        for other, theirs in self._built:
            if other.loaded.tokenizer_hash == member.loaded.tokenizer_hash:
                self._read(member, other, theirs, written)
                self._read(other, member, written, theirs)
        self._read(member, member, [each for each in written if each.prompt.completion is not None], written)
        self._built.append((member, written))

    def _read(self, reader: Member, author: Member, texts: Sequence[Answer], own: Sequence[Answer]) -> None:
        """Texts of `author` whose prompts `reader` was asked, too."""
        asked = {each.prompt.prompt_id for each in own}
        texts = [each for each in texts if each.prompt.prompt_id in asked]
        if not texts:
            return

        def compute(part: Partition) -> None:
            rows = [row for each in texts for row in _rows(reader, each)]
            write_shard(part.folder, "reading", {name: [row[i] for row in rows] for i, name in enumerate(NAMES)})

        made_of = key(reader=reader.base_key, texts=[each.generation_id for each in texts])
        name = f"reading-{reader.entry.name}-{author.entry.name}"
        self.parts += stage(self._folder, name, made_of, ["all"], compute)


def _rows(reader: Member, answer: Answer) -> list[tuple[object, ...]]:
    ids = answer.generation.prompt.ids
    empty = nothing(ids, answer.of_token, answer.prompt.parts) or ids[:1]
    found: ReadAlong = read_along(reader.loaded.model, ids, empty, answer.generation.ids)
    return [
        (
            answer.generation_id,
            reader.loaded.weights_hash,
            position,
            float(found.logp[position]),
            reader.words[said],
            float(found.said_logp[position]),
            float(found.nothing[position]),
            -float(found.logp[position]) / log(2),
        )
        for position, said in enumerate(found.said)
    ]

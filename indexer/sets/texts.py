"""EDGE: the texts of a target set: as its files have them, and as one size reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attribution.errors import BadInput
from attribution.passes.batches import Row
from attribution.prompt.text.pasted import pasted_answer
from attribution.query.many import Weighted
from indexer.config.config import Config
from indexer.config.targets import TargetSet
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import placed_prompts
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.member import Member
from indexer.size.rendered import read_ids, rendered

FOR, AGAINST = "", "against"


@dataclass(frozen=True)
class Text:
    """A prompt with its completion, as a file has it."""

    place: str  # "capitals.jsonl line 3"
    side: str  # FOR or AGAINST
    prompt: Prompt

    @property
    def completion(self) -> str:
        return self.prompt.completion or ""


@dataclass(frozen=True)
class ReadText:
    """The ids that a size reads of it; those from `first` on are asked about."""

    text: Text
    ids: tuple[int, ...]
    first: int

    @property
    def row(self) -> Row:
        return Row(self.ids, first_target=self.first)

    @property
    def n_targets(self) -> int:
        return len(self.ids) - self.first


@dataclass(frozen=True)
class ReadSet:
    """A target set as one size reads it. f = mean log p of a token of the completions, less that of `against`."""

    of: TargetSet
    texts: tuple[ReadText, ...]  # those for it first

    def side(self, side: str) -> list[ReadText]:
        """The texts of one side, in order."""
        return [each for each in self.texts if each.text.side == side]

    @property
    def weighted(self) -> list[Weighted]:
        """What log p of each completion counts in f."""
        return weighted(self.texts)

    @property
    def n_tokens(self) -> int:
        """That are asked about, of both sides."""
        return sum(each.n_targets for each in self.texts)

    @property
    def digest(self) -> str:
        """Hash of all that f depends on besides the model."""
        return key(texts=[[each.text.side, each.ids, each.first] for each in self.texts])


def weighted(texts: Sequence[ReadText]) -> list[Weighted]:
    """1 / tokens of the completions for the texts of the set, −1 / tokens for those against it."""
    found: list[Weighted] = []
    for side, sign in ((FOR, 1.0), (AGAINST, -1.0)):
        some = [each for each in texts if each.text.side == side]
        if some:
            found.append(([each.row for each in some], sign / sum(each.n_targets for each in some)))
    return found


def read_texts(of: TargetSet) -> tuple[Text, ...]:
    """Every text of the set and of what it is against. Raises BadInput, naming the line, for one without completion."""
    found = []
    for side, file in ((FOR, of.file), (AGAINST, of.against)):
        for place, prompt in placed_prompts(file).items() if file else ():
            if not prompt.completion:
                how = "none" if prompt.completion is None else "an empty one"
                raise BadInput(f"{place}: expected a completion in the target set {of.name}, found {how}; write one")
            found.append(Text(place, side, prompt))
    return tuple(found)


def read_as(member: Member, text: Text) -> ReadText:
    """As the size reads it. Raises BadInput, naming the line, for what `rendered` refuses: a completion that the
    tokenizer cannot join to its prompt, or for which the context has no room."""
    loaded = member.loaded
    try:
        prompt = rendered(text.prompt, loaded, member.config.prompts)
        before = read_ids(prompt, loaded).ids
        room = loaded.context - len(before)
        ids, _ = pasted_answer(prompt.text, text.completion, loaded.tokenizer, room, loaded.specials.stops)
    except BadInput as error:
        raise BadInput(f"{text.place}: {error}") from None
    return ReadText(text, (*before, *ids), len(before))


def read_sets(member: Member) -> list[ReadSet]:
    """Every target set of the configuration as this size reads it; raises BadInput as `read_texts` and `read_as` do."""
    return [
        ReadSet(of, tuple(read_as(member, text) for text in read_texts(of)))
        for of in (member.config.targets if member.config.scores.method else ())
    ]


def texts_part(folder: Path, config: Config) -> list[Finished]:
    """A shard of `set_text`, where there are sets."""
    if not config.targets or not config.scores.method:
        return []
    texts = [(of.name, text) for of in config.targets for text in read_texts(of)]

    def compute(part: Partition) -> None:
        numbers: dict[tuple[str, str], int] = {}
        rows = []
        for name, text in texts:
            number = numbers[name, text.side] = numbers.get((name, text.side), 0) + 1
            rows.append((name, number, text.side, text.prompt.text, text.completion))
        columns = ("name", "number", "side", "prompt", "completion")
        write_shard(part.folder, "set_text", {column: [row[i] for row in rows] for i, column in enumerate(columns)})

    made_of = key(
        texts=[[name, text.side, replace(text.prompt, supports=())] for name, text in texts],
        tables=columns_of("set_text"),
    )
    return stage(folder, "targets", made_of, ["all"], compute)

"""EDGE: what the model writes after every prompt, token by token, and the tokens of the prompts themselves."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.model.generate import Generation, completed, generate
from attribution.model.sequence import disjoint
from attribution.prompt.text.parts import token_parts
from attribution.prompt.text.pasted import pasted_answer
from indexer.corpus.corpus import known
from indexer.corpus.prompt import Prompt
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.member import Member
from indexer.size.rendered import read_ids, templated


@dataclass(frozen=True)
class Answer:
    """A generation under its id in the database."""

    generation_id: str
    prompt: Prompt
    generation: Generation
    notices: tuple[str, ...] = ()  # what was done to an answer that was given
    stating: tuple[str, ...] = ()  # ids of the documents that state it, of the last training stage that has any

    @cached_property
    def of_token(self) -> tuple[int, ...]:
        """The part of every prompt token."""
        return token_parts(self.prompt.text, self.generation.prompt.spans, self.prompt.parts)

    @property
    def ids(self) -> tuple[int, ...]:
        """Prompt and answer as one row of token ids."""
        return (*self.generation.prompt.ids, *self.generation.ids)

    @property
    def first(self) -> int:
        """Index of the first generated token in `ids`."""
        return len(self.generation.prompt.ids)

    @property
    def n_targets(self) -> int:
        return len(self.generation.ids)


def answer(loaded: LoadedModel, prompt: Prompt, max_new_tokens: int) -> Answer:
    """The model's greedy answer, or the prompt's own completion; raises BadInput where there is no token to explain."""
    encoded = read_ids(prompt, loaded)
    notices: tuple[str, ...] = ()
    if prompt.completion is None:
        made = generate(loaded, encoded, max_new_tokens)
    else:
        room = loaded.context - len(encoded)
        ids, notices = pasted_answer(prompt.text, prompt.completion, loaded.tokenizer, room, loaded.specials.stops)
        made = completed(loaded, encoded, ids)
    if not made.ids:
        raise BadInput(f"expected the model to write something after {prompt.text[:40]!r}, found nothing")
    content = f"{loaded.weights_hash}/{prompt.prompt_id}/{made.ids}"
    return Answer(hashlib.sha256(content.encode()).hexdigest()[:16], prompt, made, notices)


def answers(
    folder: Path, member: Member, prompts: Sequence[Prompt], tick: Callable[[int], None]
) -> tuple[list[Answer], Finished]:
    """Every prompt answered; the second value is the part that holds their shards."""
    settings = member.config.prompts

    def compute(part: Partition) -> None:
        made = []
        for prompt in prompts:
            made.append(_told(answer(member.loaded, prompt, settings.max_new_tokens)))
            tick(1)
        _write(part.folder, member.loaded, made)

    made_of = key(
        base=member.base_key,
        prompts=[p.prompt_id for p in prompts],
        most=settings.max_new_tokens,
        tables=columns_of("generation", "prompt_token"),
        keeps=["ids", "logp"],
        **_read_otherwise(member, prompts),
    )
    [part] = stage(folder, f"answers-{member.entry.name}", made_of, ["all"], compute, away=True)
    return _read(part.folder, member, prompts), part


def _told(made: Answer) -> Answer:
    """With a notice of what a foil in the prompt file changes: influence by contrast would be a second one of all."""
    if made.prompt.foil is None:
        return made
    notice = (
        f"the foil {made.prompt.foil!r} is contrasted in the prompt's saliency; influence explains log p of each token"
    )
    if not made.prompt.contrasts(made.generation.text):
        notice = (
            f"the foil {made.prompt.foil!r} stands against {made.prompt.foil_of!r}, which this answer does not hold: "
            "nothing is contrasted"
        )
    return replace(made, notices=(*made.notices, notice))


def _read_otherwise(member: Member, prompts: Sequence[Prompt]) -> dict[str, object]:
    """Which prompts a template begins, which answers are joined as written, of which foil is told and what it stands
    against: part of a key only where there are any."""
    changed = [
        (templated(each, member.loaded) or each.completion is not None, each.foil, each.foil_of) for each in prompts
    ]
    return {"read": changed} if any(map(any, changed)) else {}


def stating(prompt: Prompt, own: Collection[str]) -> tuple[str, ...]:
    """Documents that state the answer: those of a model's own training stage, or its parent's where that has none."""
    return tuple(each for each in prompt.supports if each in own) or prompt.supports


def _write(folder: Path, loaded: LoadedModel, made: list[Answer]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    stored = {
        each.generation_id: [each.prompt.prompt_id, list(each.generation.ids), list(each.generation.logp)]
        for each in made
    }
    (folder / "answers.json").write_text(json.dumps(stored))
    write_shard(
        folder,
        "generation",
        {
            "generation_id": [each.generation_id for each in made],
            "prompt_id": [each.prompt.prompt_id for each in made],
            "model_id": [loaded.weights_hash] * len(made),
            "text": [each.generation.text for each in made],
            "created_at": [now] * len(made),
            "notice": ["\n".join(each.notices) for each in made],
        },
    )
    write_shard(folder, "prompt_token", prompt_tokens(loaded, made))


def prompt_tokens(loaded: LoadedModel, made: Sequence[Answer]) -> dict[str, list[object]]:
    """Columns of `prompt_token` for the prompts of some answers."""
    rows = [
        (
            loaded.tokenizer_hash,
            each.prompt.prompt_id,
            position,
            each.generation.prompt.ids[position],
            each.prompt.text[start:stop],
            start,
            stop,
            each.of_token[position],
        )
        for each in made
        for position, (start, stop) in enumerate(disjoint(each.generation.prompt.spans))
    ]
    names = ("tokenizer_id", "prompt_id", "token_position", "token_id", "text", "start", "stop", "part")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _read(folder: Path, member: Member, prompts: Sequence[Prompt]) -> list[Answer]:
    loaded, own = member.loaded, known(member.corpus, (each for prompt in prompts for each in prompt.supports))
    by_id = {prompt.prompt_id: prompt for prompt in prompts}
    made = []
    for generation_id, (prompt_id, ids, logp) in json.loads((folder / "answers.json").read_text()).items():
        prompt = by_id[prompt_id]
        encoded = read_ids(prompt, loaded)
        generation = completed(loaded, encoded, tuple(ids), logp)
        made.append(Answer(generation_id, prompt, generation, stating=stating(prompt, own)))
    return made

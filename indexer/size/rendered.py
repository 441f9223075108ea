"""A prompt as one model reads it: its own chat template applied once, documents cut to the room that it has.

What comes out is the one string that is generated from and explained. Sizes of a family share a template, so they
share the prompt's id too; a model that reads another text has another prompt.
"""

from collections.abc import Sequence
from dataclasses import replace

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.model.sequence import Encoded, answer_spans, encode_prompt
from attribution.prompt.text.chat import Variables, conversation
from attribution.prompt.text.parts import PromptText, token_parts
from attribution.prompt.text.pasted import FOIL, pasted_answer
from attribution.prompt.text.retrieval import conversation_prompt, retrieval_prompt
from attribution.prompt.text.written import Wording, turn
from indexer.config.config import Prompts
from indexer.corpus.prompt import Prompt, prompt_id
from indexer.size.member import Member


def rendered(prompt: Prompt, loaded: LoadedModel, settings: Prompts) -> Prompt:
    """Text, parts, notices and id for this model.

    Raises BadInput, with the prompt's first words, where the model cannot read it and still answer, cannot have given
    the answer that is to be explained, for a foil without words or that it cannot read, and for one that stands against
    words that this answer does not hold.
    """
    try:
        made = _text(prompt, loaded, settings)
        ready = replace(prompt, text=made.text, parts=made.parts, notices=made.notices)
        encoded = read_ids(ready, loaded)
        _check_words(ready, encoded)
        if prompt.foil == "" or (prompt.foil is None and prompt.foil_of is not None):
            raise BadInput("expected a foil, found an empty one; write what might have stood there instead")
        if prompt.foil_of == "":
            raise BadInput("expected words that the foil stands against, found none; take foil_of out for all of them")
        if prompt.completion is not None:
            room = loaded.context - len(encoded)
            ids, _ = pasted_answer(made.text, prompt.completion, loaded.tokenizer, room, loaded.specials.stops)
            check_span(prompt, answer_spans(ids, loaded.tokenizer, encoded.ids)[0])
        if prompt.foil is not None and single_foil(prompt, loaded) is None:
            said = (prompt.completion or "").partition(prompt.foil_of)[0] if prompt.foil_of else ""
            joined_foil(prompt, made.text + said, loaded, loaded.context - len(encoded))
    except BadInput as error:
        shown = " ".join((prompt.question or prompt.text).split())
        raise BadInput(f"prompt {shown[:40]!r}: {error}") from None
    return replace(ready, prompt_id=prompt_id(made.text, prompt.completion))


def check_span(prompt: Prompt, answer: str) -> None:
    """Raises BadInput where the prompt's foil stands against words that the answer does not hold."""
    if not prompt.contrasts(answer):
        raise BadInput(
            f"expected words of the answer {answer[:60]!r} as the span that the foil stands against, found "
            f"{prompt.foil_of!r}; copy them from the answer"
        )


def single_foil(prompt: Prompt, loaded: LoadedModel) -> int | None:
    """The one token that stands against each of an answer; None where there are several, or where they stand against
    words."""
    ids = loaded.tokenizer(prompt.foil or "", add_special_tokens=False, verbose=False)["input_ids"]
    return int(ids[0]) if prompt.foil_of is None and len(ids) == 1 else None


def joined_foil(prompt: Prompt, before: str, loaded: LoadedModel, room: int) -> tuple[int, ...]:
    """The ids of the foil behind what it follows, at most `room`; raises BadInput for one that cannot be read so."""
    ids, _ = pasted_answer(before, prompt.foil or "", loaded.tokenizer, room, (), FOIL)
    return ids


def templated(prompt: Prompt, loaded: LoadedModel) -> bool:
    """Whether the model's chat template writes what stands around the words."""
    return prompt.kind != "completion" and bool(loaded.tokenizer.chat_template)


def read_ids(prompt: Prompt, loaded: LoadedModel) -> Encoded:
    """The ids that this model reads of a prompt that was rendered for it."""
    return encode_prompt(
        prompt.text, loaded.tokenizer, loaded.context, loaded.specials, templated=templated(prompt, loaded)
    )


def _check_words(prompt: Prompt, encoded: Encoded) -> None:
    """Raises BadInput where nothing of what is said comes through: a normalizer may drop it all."""
    kinds = {part.part: part.kind for part in prompt.parts}
    if all(kinds.get(of, "scaffold") == "scaffold" for of in token_parts(prompt.text, encoded.spans, prompt.parts)):
        said = "".join(prompt.text[each.start : each.stop] for each in prompt.parts if each.kind != "scaffold")
        raise BadInput(f"expected words in a prompt, found {said[:40]!r}, of which the tokenizer keeps nothing")


def _text(prompt: Prompt, loaded: LoadedModel, settings: Prompts) -> PromptText:
    if prompt.kind == "completion":
        return PromptText(prompt.text, prompt.parts)
    variables = Variables({**settings.template, **prompt.template})
    said = [turn(each.role, each.content, each.more) for each in prompt.messages]
    if prompt.kind == "chat" and not prompt.docs:
        return conversation(said, loaded.tokenizer, variables)
    n_answer = settings.max_new_tokens
    if prompt.completion is not None:
        n_answer = len(loaded.tokenizer(prompt.completion, add_special_tokens=False, verbose=False)["input_ids"]) + 2
    room = min(settings.longest, loaded.context - min(n_answer, loaded.context // 2))
    wording = Wording(
        settings.instruction if prompt.instruction is None else prompt.instruction,
        settings.doc_prompt if prompt.doc_prompt is None else prompt.doc_prompt,
    )
    if prompt.kind == "chat":
        return conversation_prompt(said, prompt.docs, loaded.tokenizer, room, wording, variables)
    return retrieval_prompt(prompt.question, prompt.docs, loaded.tokenizer, room, wording, variables)


def as_read(member: Member, prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Every prompt as a size reads it. Raises BadInput for one that it cannot read, and for two that read the same (a
    variable that the template ignores), before any work is done."""
    made = tuple(rendered(prompt, member.loaded, member.config.prompts) for prompt in prompts)
    first: dict[str, int] = {}
    for i, each in enumerate(made):
        if first.setdefault(each.prompt_id, i) != i:
            raise BadInput(
                f"expected every prompt once, found that {member.entry.name} reads the same in prompts "
                f"{first[each.prompt_id] + 1} and {i + 1}: {' '.join(each.text.split())[:40]!r}; remove one"
            )
    return made

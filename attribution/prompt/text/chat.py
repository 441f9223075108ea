"""A conversation as one string by the model's own chat template, and where each turn's words lie in it.

The template is rendered once. A second rendering with a marker in place of every turn, and of every document that the
template itself writes, shows which characters are the template's own; the rest must be the words, as they were written
or stripped of white space at their ends. What an assistant thought may be left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.said import Message, Range, Said, aligned, marker, only_calls
from attribution.prompt.text.parts import Part, Piece, PromptText, assemble
from attribution.prompt.text.written import Turn, turn_pieces, unfinished

# what the call of a template decides by itself
_TAKEN = frozenset(
    ("messages", "conversation", "chat_template", "tokenize", "add_generation_prompt", "continue_final_message")
    + ("padding", "truncation", "max_length", "return_tensors", "return_dict", "return_assistant_tokens_mask")
    + ("tokenizer_kwargs",)
)


@dataclass(frozen=True)
class Variables:
    """What a template is given beside the messages; raises BadInput for names that the call decides by itself.

    `documents` among them, as records with a `text`, are parts of their own where the template writes them as they are.
    """

    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken = sorted(_TAKEN & set(self.values))
        if taken:
            raise BadInput(f"expected variables of the chat template in 'template', found {taken[0]!r}; leave it out")

    @property
    def documents(self) -> list[Mapping[str, Any]]:
        """Those whose text can be told from the template's own words."""
        given = self.values.get("documents")
        if not isinstance(given, list):
            return []
        return given if all(isinstance(each, Mapping) and isinstance(each.get("text"), str) for each in given) else []


def writes_documents(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the template has a place of its own for documents."""
    return bool(tokenizer.chat_template) and re.search(r"\bdocuments\b", _template(tokenizer)) is not None


def conversation(
    turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, variables: Variables | None = None
) -> PromptText:
    """The turns as the model is to read them, ready for its answer, or in the midst of it where the last is its own.

    Without a chat template the roles are written out ("user: ...") and a notice says so. Raises BadInput for no turns,
    for turns that say nothing, and where the template refuses or rewrites them.
    """
    if not any(each.content.strip() for each in turns):
        raise BadInput("expected a conversation, found no words in it; write a message of role 'user'")
    more = sorted({name for each in turns for name in each.more})
    if not tokenizer.chat_template:
        notice = "the model has no chat template: the roles are written out as text"
        left = [f"{name!r} of a message is left out" for name in more]
        return assemble(turn_pieces(turns), (notice, *left, *control_notices(turns, tokenizer)))
    if unfinished(turns) and only_calls(turns[-1].more, turns[-1].content):
        raise BadInput("expected what a tool said after its call, found the call last; add a message of role 'tool'")
    given = variables or Variables()
    notices = list(control_notices(turns, tokenizer))
    unused = [name for name in (*given.values, *more) if name not in _template(tokenizer)]
    notices += [f"the chat template has no variable {name!r}: it changes nothing" for name in unused]
    if given.documents:
        try:
            made = _placed(turns, tokenizer, given, [_document(i, each) for i, each in enumerate(given.documents, 1)])
            return PromptText(*made, tuple(notices))
        except BadInput:
            notices.append("the chat template rewrites its documents: they are read, and cannot be cited")
    return PromptText(*_placed(turns, tokenizer, given, []), tuple(notices))


def control_notices(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Names the pieces that hold a control token's text: the model will read it as the token, not as words."""
    found = []
    for each in turns:
        for piece in each.pieces:
            inside = [token for token in tokenizer.all_special_tokens if token and token in piece.text]
            if inside:
                found.append(f"{piece.title or piece.kind} contains {inside[0]}, which the model reads as a command")
    return tuple(found)


def _placed(
    turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase, given: Variables, documents: Sequence[Turn]
) -> tuple[str, tuple[Part, ...]]:
    """Text and parts. `documents`: those of the variables that are to be parts, each as a turn of one piece."""
    messages = [{**each.more, "role": each.role, "content": each.content} for each in turns]
    texts = [each.content for each in documents]
    rendered = _render(turns, messages, texts, tokenizer, given)

    def frame(marks: Sequence[Message], n: int) -> str:
        return _render(turns, marks, [marker(n + i) for i in range(len(texts))], tokenizer, given)

    more = [Said(len(turns) + i, text) for i, text in enumerate(texts)]
    cut = unfinished(turns)
    made = aligned(rendered, messages, frame, more, whole=not cut)
    if made.wrong == len(made.said):
        raise BadInput("expected a chat template that ends the same for every message; give the prompt as plain text")
    if made.wrong is not None:
        raise _rewrites(made.said[made.wrong].of, turns)
    if cut and (made.found[-1][0].of != len(turns) - 1 or made.found[-1][0].thought):
        raise _rewrites(len(turns) - 1, turns)
    return _parted(rendered, [*turns, *documents], made.found, cut)


def _parted(
    rendered: str, spoken: Sequence[Turn], found: Sequence[tuple[Said, Range]], cut: bool
) -> tuple[str, tuple[Part, ...]]:
    """The text and its parts.    cut: the text ends with what the last turn says"""
    parts: list[Part] = []

    def scaffold(start: int, stop: int) -> None:
        if stop > start:
            parts.append(Part(len(parts), "scaffold", "", start, stop))

    cursor = 0
    for said, (start, stop) in found:
        scaffold(cursor, start)
        of, cursor = spoken[said.of], stop
        own = of if said.words == of.content else replace(of, pieces=(replace(of.pieces[-1], text=said.words),))
        _place(own, rendered[start:stop], start, parts)
    if cut:  # without what the template puts after a finished turn
        return rendered[:cursor], tuple(parts)
    scaffold(cursor, len(rendered))
    return rendered, tuple(parts)


def _rewrites(i: int, turns: Sequence[Turn]) -> BadInput:
    what = f"message {i + 1} ({turns[i].role})" if i < len(turns) else f"document {i + 1 - len(turns)}"
    return BadInput(
        f"expected a chat template that keeps what is said, found that it rewrites {what}; give the prompt as "
        "plain text"
    )


def _document(number: int, given: Mapping[str, Any]) -> Turn:
    title = given.get("title")
    return Turn(
        "", (Piece("document", given["text"], title if isinstance(title, str) and title else f"document {number}"),)
    )


def _place(each: Turn, said: str, start: int, parts: list[Part]) -> None:
    """The pieces of one turn as parts; `said` is its content without what the template stripped."""
    inner = assemble(each.pieces)
    shift = inner.text.find(said)  # white space lost at the beginning
    first = len(parts)
    for part in inner.parts:
        begin = start + max(0, part.start - shift)
        end = start + min(len(said), part.stop - shift)
        owner = part.owner + first if part.owner >= 0 else -1
        parts.append(Part(len(parts), part.kind, part.title, begin, max(begin, end), owner))


def _render(
    turns: Sequence[Turn],
    messages: Sequence[Message],
    documents: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    given: Variables,
) -> str:
    """`documents`: the texts of those among the variables that are to be replaced."""
    values = dict(given.values)
    if documents:
        values["documents"] = [{**each, "text": text} for each, text in zip(given.documents, documents, strict=True)]
    try:
        return str(
            tokenizer.apply_chat_template(
                [dict(each) for each in messages], tokenize=False, add_generation_prompt=not unfinished(turns), **values
            )
        )
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(
            f"expected messages that the model's chat template takes, found: {reason}; change them"
        ) from None


def _template(tokenizer: PreTrainedTokenizerBase) -> str:
    """Its text, or all of its texts where a tokenizer has several by name."""
    known = tokenizer.chat_template
    return known if isinstance(known, str) else "\n".join(map(str, dict(known or {}).values()))

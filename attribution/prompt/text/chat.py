"""A conversation as one string by the model's own chat template, and where each turn's words lie in it.

The template is rendered once. A second rendering with a marker in place of every turn shows which characters are the
template's own; the rest must be the turns, as they were written or stripped of white space at their ends.
"""

from collections.abc import Sequence

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.prompt.text.parts import Part, PromptText, assemble
from attribution.prompt.text.written import Turn, turn_pieces

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no template writes them


def conversation(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase) -> PromptText:
    """The turns as the model is to read them, ready for its answer.

    Without a chat template the roles are written out ("user: ...") and a notice says so. Raises BadInput for no turns,
    for turns that say nothing, and where the template refuses or rewrites them.
    """
    if not any(each.content.strip() for each in turns):
        raise BadInput("expected a conversation, found no words in it; write a message of role 'user'")
    if not tokenizer.chat_template:
        notice = "the model has no chat template: the roles are written out as text"
        return assemble(turn_pieces(turns), (notice, *control_notices(turns, tokenizer)))
    rendered = _render(turns, [each.content for each in turns], tokenizer)
    frame = _render(turns, [f"{_OPEN}{i}{_CLOSE}" for i in range(len(turns))], tokenizer)
    parts: list[Part] = []

    def add(kind: str, title: str, start: int, stop: int, owner: int = -1) -> None:
        if stop > start:
            parts.append(Part(len(parts), kind, title, start, stop, owner))

    cursor = 0
    for i, each in enumerate(turns):
        before, marker, frame = frame.partition(f"{_OPEN}{i}{_CLOSE}")
        start = cursor + len(before)
        said = next((w for w in (each.content, each.content.strip()) if rendered.startswith(w, start)), None)
        if not marker or rendered[cursor:start] != before or said is None:
            raise BadInput(
                f"expected a chat template that keeps what is said, found that it rewrites message {i + 1} "
                f"({each.role}); give the prompt as plain text"
            )
        add("scaffold", "", cursor, start)
        cursor = start + len(said)
        _place(each, said, start, parts)
    if rendered[cursor:] != frame:
        raise BadInput("expected a chat template that ends the same for every message; give the prompt as plain text")
    add("scaffold", "", cursor, len(rendered))
    return PromptText(rendered, tuple(parts), control_notices(turns, tokenizer))


def control_notices(turns: Sequence[Turn], tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Names the pieces that hold a control token's text: the model will read it as the token, not as words."""
    found = []
    for each in turns:
        for piece in each.pieces:
            inside = [token for token in tokenizer.all_special_tokens if token and token in piece.text]
            if inside:
                found.append(f"{piece.title or piece.kind} contains {inside[0]}, which the model reads as a command")
    return tuple(found)


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


def _render(turns: Sequence[Turn], contents: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> str:
    messages = [{"role": each.role, "content": content} for each, content in zip(turns, contents, strict=True)]
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(
            f"expected messages that the model's chat template takes, found: {reason}; change them"
        ) from None

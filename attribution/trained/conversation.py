"""A conversation as one string by the model's own chat template, and which characters of it the model learned to write.

A template that marks what the assistant generates ({% generation %}) is believed. For any other, every message is
rendered as a marker too: what stands between the markers is the template's own, and learned are the words of the
assistant's turns and the control token that ends each of them. Calls of tools are the template's own.
"""

from collections.abc import Mapping, Sequence
from os.path import commonprefix
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.said import only_calls, said_at

Message = Mapping[str, Any]
Range = tuple[int, int]

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no template writes them


def rendered(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any]
) -> tuple[str, list[Range]]:
    """The text, and for each message the characters [start, stop) of its words in it; of one that only calls tools, for
    whose words a template may have no place, none, at the end of those before.

    Raises BadInput where the template refuses the messages, or rewrites what they say.
    """
    said = [str(each.get("content") or "") for each in messages]
    text = _render(messages, said, tokenizer, variables)
    spoken = enumerate(zip(messages, said, strict=True))
    marks = ["" if only_calls(each, content) else f"{_OPEN}{i}{_CLOSE}" for i, (each, content) in spoken]
    frame = _render(messages, marks, tokenizer, variables)
    places, cursor = [], 0
    for i, content in enumerate(said):
        if not marks[i]:
            places.append((cursor, cursor))
            continue
        before, marker, frame = frame.partition(marks[i])
        start = cursor + len(before)
        words = said_at(text, start, content, frame.partition(_OPEN)[0])
        if not marker or text[cursor:start] != before or words is None:
            raise BadInput(
                f"expected a chat template that keeps what is said, found that it rewrites message {i + 1} "
                f"({messages[i].get('role')}); mark the assistant's words in it with {{% generation %}}"
            )
        cursor = start + len(words)
        places.append((start, cursor))
    if text[cursor:] != frame:
        raise BadInput("expected a chat template that ends the same for every message; mark its {% generation %}")
    return text, places


def marked(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any], n_asked: int = 0
) -> tuple[str, list[Range]] | None:
    """The text and what is learned of it, by the template's own marks; None for a template without them.

    n_asked: so many messages are the prompt, of which nothing is learned
    """
    if "{% generation" not in str(tokenizer.chat_template) and "{%- generation" not in str(tokenizer.chat_template):
        return None
    made: Any = _applied(
        messages, tokenizer, variables, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    text = _applied(messages, tokenizer, variables, tokenize=False)
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    mask = made["assistant_masks"]
    if list(offsets["input_ids"]) != list(made["input_ids"]):
        raise BadInput("expected a chat template that renders the same twice, found another text; take out dates")
    begins = _answered_from(messages, n_asked, tokenizer, variables)
    found: list[Range] = []
    for (a, b), on in zip(offsets["offset_mapping"], mask, strict=True):
        if not on or b <= max(a, begins):
            continue
        if found and a <= found[-1][1]:
            found[-1] = (found[-1][0], max(int(b), found[-1][1]))
        else:
            found.append((int(a), int(b)))
    return text, found


def _answered_from(
    messages: Sequence[Message], n_asked: int, tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any]
) -> int:
    """The character where the words of the first message after `n_asked` begin; 0 where all are answers."""
    if not n_asked:
        return 0
    said = [str(each.get("content") or "") for each in messages]
    other = [content if i < n_asked else f"{_OPEN}{content}" for i, content in enumerate(said)]
    return len(commonprefix([_render(messages, each, tokenizer, variables) for each in (said, other)]))


def _render(
    messages: Sequence[Message],
    contents: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    variables: Mapping[str, Any],
) -> str:
    replaced = [{**each, "content": content} for each, content in zip(messages, contents, strict=True)]
    return str(_applied(replaced, tokenizer, variables, tokenize=False))


def _applied(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any], **how: Any
) -> Any:
    try:
        return tokenizer.apply_chat_template(
            [dict(each) for each in messages], add_generation_prompt=False, **how, **variables
        )
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"expected messages that the model's chat template takes, found: {reason}; mend them") from None

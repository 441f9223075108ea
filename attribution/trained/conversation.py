"""A conversation as one string by the model's own chat template, and which characters of it the model learned to write.

A template that marks what the assistant generates ({% generation %}) is believed. For any other, what is said is
rendered as markers too (attribution.model.said): what stands between them is the template's own. Learned are the words
of the assistant's turns, the thoughts before them where the template writes these, with their tags, and the control
token that ends each turn. Calls of tools are the template's own.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from os.path import commonprefix
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.said import Aligned, Message, Range, Said, aligned, content_of, ways, written_out

_CLOSES = re.compile(r"\s*(</[^<>\s]+>|\[/[^\[\]\s]+\])")  # the tag after thoughts that no words follow


def rendered(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any]
) -> tuple[str, list[Range], list[Range]]:
    """The text; for each message the characters [start, stop) of what it says in it, with the thoughts before; and
    those that its role wrote, which begin where a model is asked to write. A message that only calls tools, for whose
    words a template may have no place, has none, at the end of those before.

    Raises BadInput where the template refuses the messages, or rewrites what they say.
    """
    text = _render([{**each, "content": content_of(each)} for each in messages], tokenizer, variables)
    made = aligned(text, messages, lambda marks, _: _render(marks, tokenizer, variables))
    own: list[list[tuple[Said, Range]]] = [[] for _ in messages]
    for each, place in made.found:
        own[each.of].append((each, place))
    of = [each.of for each, _ in made.found]
    if made.wrong is not None or of != sorted(of):
        raise _rewritten(messages, made)
    header = _header(tokenizer, str(tokenizer.chat_template), json.dumps(variables, sort_keys=True))
    contents, turns, cursor = [], [], 0
    for i, mine in enumerate(own):
        if not mine:
            contents.append((cursor, cursor))
            turns.append((cursor, cursor))
            continue
        begins = start = mine[0][1][0]
        stop = mine[-1][1][1]
        if messages[i].get("role") == "assistant":
            asked = text.rfind(header, cursor, start) if header else -1
            if asked >= 0 and text[asked + len(header) : start].strip():
                begins = asked + len(header)
            if mine[-1][0].thought and (tag := _CLOSES.match(text, stop)):
                stop = tag.end()
        contents.append((start, stop))
        turns.append((begins, stop))
        cursor = stop
    return text, contents, turns


def _rewritten(messages: Sequence[Message], made: Aligned) -> BadInput:
    if made.wrong == len(made.said):
        return BadInput("expected a chat template that ends the same for every message; mark its {% generation %}")
    of = made.said[made.wrong or 0].of
    return BadInput(
        f"expected a chat template that keeps what is said, found that it rewrites message {of + 1} "
        f"({messages[of].get('role')}); mark the assistant's words in it with {{% generation %}}"
    )


@lru_cache(maxsize=32)
def _header(tokenizer: PreTrainedTokenizerBase, template: str, variables: str) -> str:
    """What the template puts before whatever the model is to write; "" where nothing can be told of it."""
    asked, given = [{"role": "user", "content": "?"}], json.loads(variables)
    try:
        before, after = (_applied(asked, tokenizer, given, tokenize=False, asks=asks) for asks in (False, True))
    except BadInput:
        return ""
    return after.removeprefix(before) if after.startswith(before) else ""


def without_template(messages: Sequence[Message]) -> tuple[str, list[Range]]:
    """The roles written out, a line each, and for each message the characters of what it says, with its thoughts."""
    found, at = [], 0
    lines = [written_out(each) for each in messages]
    for each, line in zip(messages, lines, strict=True):
        found.append((at + len(f"{each['role']}: "), at + len(line)))
        at += len(line) + 1
    return "\n".join(lines), found


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
    begins = _answered_from(text, messages, n_asked, tokenizer, variables)
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
    text: str,
    messages: Sequence[Message],
    n_asked: int,
    tokenizer: PreTrainedTokenizerBase,
    variables: Mapping[str, Any],
) -> int:
    """The character where what follows the first `n_asked` messages begins; 0 where all are answers."""
    if not n_asked:
        return 0
    for asks in (True, False):
        try:
            before = str(_applied(messages[:n_asked], tokenizer, variables, tokenize=False, asks=asks))
        except BadInput:
            continue
        if text.startswith(before):
            return len(before)
    # a template that looks ahead: the first character that other answers would change
    _, other = list(ways(messages))[-1]
    return len(commonprefix([text, _render([*messages[:n_asked], *other[n_asked:]], tokenizer, variables)]))


def _render(messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, variables: Mapping[str, Any]) -> str:
    return str(_applied(messages, tokenizer, variables, tokenize=False))


def _applied(
    messages: Sequence[Message],
    tokenizer: PreTrainedTokenizerBase,
    variables: Mapping[str, Any],
    asks: bool = False,
    **how: Any,
) -> Any:
    try:
        return tokenizer.apply_chat_template(
            [dict(each) for each in messages], add_generation_prompt=asks, **how, **variables
        )
    except (TemplateError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"expected messages that the model's chat template takes, found: {reason}; mend them") from None

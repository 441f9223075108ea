"""What a training document is made of where it is no plain text: who says what, in order. Pure.

The shapes are those of indexer.corpus.turns. A role is that of a message; a text that is given beside another one is
named by its column: prompt, completion. Of a pair it is the answer that is named, chosen or rejected, and each is read
after the prompt.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from attribution.model.said import THOUGHTS, thoughts_apart
from indexer.corpus.turns import is_pair

COLUMNS = ("prompt", "messages", "completion")  # in the order in which they are read
SIDES = ("chosen", "rejected")  # of a pair


class Spoken(NamedTuple):
    """thought: what an assistant thinks before it speaks; a template may have left it out."""

    role: str
    words: str
    thought: bool = False


def said(turns: str) -> list[tuple[str, str]]:
    """(role, words) of every turn; [] for a plain text, for token ids, and for what cannot be read."""
    return [(each.role, each.words) for each in _every(turns, apart=False)]


def spoken(turns: str) -> list[Spoken]:
    """The same as a template writes them, an assistant's thoughts before its words."""
    return _every(turns, apart=True)


def _every(turns: str, apart: bool) -> list[Spoken]:
    try:
        given = json.loads(turns or "{}")
    except (ValueError, RecursionError):
        return []
    if not isinstance(given, dict):
        return []
    found = [turn for name in COLUMNS for turn in _turns(given.get(name), name, apart)]
    if is_pair(turns):
        found = [turn for side in SIDES for turn in (*found, *_answer(given.get(side), side, apart))]
    return [each for each in found if each.words]


def _turns(value: Any, name: str, apart: bool) -> list[Spoken]:
    if isinstance(value, str):
        return [Spoken(name, value)]
    messages = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return [turn for each in messages for turn in _message(each, apart)]


def _answer(value: Any, side: str, apart: bool) -> list[Spoken]:
    """What the model was to prefer, or to avoid, by that name; what somebody else says in it keeps its role."""
    turns = _turns(value, side, apart)
    return [each._replace(role=side) if each.role in (side, "assistant") else each for each in turns]


def head_of(template: Sequence[str], *, begins: bool) -> int:
    """Of the template's tokens between two turns, the first that belongs to the next one: what comes first ends the
    turn before, with the white space after it. begins: no turn was before."""
    if begins or not template:
        return 0
    first = 0 if template[0][:1].isspace() else 1
    while first < len(template) and not template[first].strip():
        first += 1
    return first


def _message(given: dict[str, Any], apart: bool) -> list[Spoken]:
    role, content = str(given.get("role") or ""), given.get("content")
    words = content if isinstance(content, str) else ""
    if not apart or role != "assistant":
        return [Spoken(role, words)]
    *within, words = thoughts_apart(words)
    thoughts = [*(given.get(name) for name in THOUGHTS), *within]
    return [
        *(Spoken(role, each, True) for each in thoughts if isinstance(each, str) and each.strip()),
        Spoken(role, words),
    ]

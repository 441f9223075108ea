"""What a training document is made of where it is no plain text: who says what, in order. Pure.

The shapes are those of indexer.corpus.turns. A role is that of a message; a text that is given beside another one is
named by its column: prompt, completion. Of a pair it is the answer that is named, chosen or rejected, and each is read
after the prompt.
"""

import json
from collections.abc import Sequence
from typing import Any

from indexer.corpus.turns import is_pair

COLUMNS = ("prompt", "messages", "completion")  # in the order in which they are read
SIDES = ("chosen", "rejected")  # of a pair


def said(turns: str) -> list[tuple[str, str]]:
    """(role, words) of every turn; [] for a plain text, for token ids, and for what cannot be read."""
    try:
        given = json.loads(turns or "{}")
    except (ValueError, RecursionError):
        return []
    if not isinstance(given, dict):
        return []
    found = [turn for name in COLUMNS for turn in _turns(given.get(name), name)]
    if is_pair(turns):
        found = [turn for side in SIDES for turn in (*found, *_answer(given.get(side), side))]
    return [(role, words) for role, words in found if words]


def _turns(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    return [_message(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _answer(value: Any, side: str) -> list[tuple[str, str]]:
    """What the model was to prefer, or to avoid, by that name; what somebody else says in it keeps its role."""
    return [(side if role in (side, "assistant") else role, words) for role, words in _turns(value, side)]


def head_of(template: Sequence[str], *, begins: bool) -> int:
    """Of the template's tokens between two turns, the first that belongs to the next one: what comes first ends the
    turn before, with the white space after it. begins: no turn was before."""
    if begins or not template:
        return 0
    first = 0 if template[0][:1].isspace() else 1
    while first < len(template) and not template[first].strip():
        first += 1
    return first


def _message(given: dict[str, Any]) -> tuple[str, str]:
    content = given.get("content")
    return str(given.get("role") or ""), content if isinstance(content, str) else ""

"""What a training document is made of where it is no plain text: who says what, in order. Pure.

The shapes are those of indexer.corpus.turns. A role is that of a message; a text that is given beside another one is
named by its column: prompt, completion, chosen, rejected.
"""

import json
from collections.abc import Sequence
from typing import Any

COLUMNS = ("prompt", "messages", "completion", "chosen", "rejected")  # in the order in which they are read


def said(turns: str) -> list[tuple[str, str]]:
    """(role, words) of every turn; [] for a plain text, for token ids, and for what cannot be read."""
    try:
        given = json.loads(turns or "{}")
    except ValueError:
        return []
    found: list[tuple[str, str]] = []
    for name in COLUMNS if isinstance(given, dict) else ():
        value = given.get(name)
        if isinstance(value, str):
            found.append((name, value))
        elif isinstance(value, list):
            found += [_message(each) for each in value if isinstance(each, dict)]
    return [(role, words) for role, words in found if words]


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

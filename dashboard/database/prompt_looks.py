"""The tokens of a prompt as they are drawn: which part each belongs to, and who begins to speak with it. Pure."""

from collections.abc import Sequence
from typing import Any

from dashboard.database.prompt_turns import DOCUMENTS, turn_roles
from dashboard.database.records import PromptPart, PromptToken
from dashboard.database.turns import head_of


def part_of(parts: Sequence[PromptPart], token: PromptToken) -> int:
    """The stored part of the token, or the one that holds its last character; -1 where there is none."""
    if token.part is not None:
        return token.part
    last = token.stop - 1
    return next((part.part for part in parts if part.start <= last < part.stop and token.stop > token.start), -1)


def prompt_looks(kind: str, tokens: Sequence[PromptToken], parts: Sequence[PromptPart]) -> dict[int, dict[str, Any]]:
    """position -> of a chat's token, who begins to speak with it, and whether the template wrote it.

    A turn begins with the template's words before it; what the template writes at the end opens the answer.
    """
    read = [(token, part_of(parts, token)) for token in tokens if token.stop > token.start]
    if kind != "chat":
        return {token.position: {} for token, _ in read}
    spoken = [part for part in sorted(parts, key=lambda part: part.start) if part.kind != "scaffold"]
    roles = {part: "user" if role == DOCUMENTS else role for part, role in turn_roles("chat", spoken).items()}
    kinds = {part.part: part.kind for part in spoken}
    looks: dict[int, dict[str, Any]] = {token.position: {"template": owner not in roles} for token, owner in read}
    run: list[PromptToken] = []  # of the template, since somebody spoke
    before = -1
    for token, owner in read:
        if owner not in roles:
            run.append(token)
            continue
        one = roles[owner] == roles.get(before) and not (kinds[owner] == kinds[before] == "question")
        if owner != before and not one:  # a turn's documents and its question are one
            _begin(looks, [*run, token], roles[owner], before < 0)
        before, run = owner, []
    if roles.get(before) != "assistant":
        _begin(looks, run, "assistant", before < 0)
    return looks


def _begin(looks: dict[int, dict[str, Any]], tokens: Sequence[PromptToken], role: str, begins: bool) -> None:
    """The role stands before the first of these tokens that is its turn's."""
    first = head_of([token.text if looks[token.position]["template"] else "x" for token in tokens], begins=begins)
    if first < len(tokens):
        looks[tokens[first].position]["role"] = role

"""A prompt as what somebody says in it: (role, words) in order, without what the template wrote around them. Pure.

A prompt that is continued, and a question over documents, have no roles: theirs is ''. Documents are counted at the
end, not shown, and the instruction before them is left out: it is the same for all.
"""

from collections.abc import Sequence

from dashboard.database.records import PromptPart
from indexer.corpus.shapes.columns import ROLES

DOCUMENTS = "documents"  # the role of the line that counts them

Turn = tuple[str, str]


def prompt_turns(text: str, kind: str, parts: Sequence[PromptPart]) -> list[Turn]:
    """The turns of a prompt; the whole text where its parts are not known."""
    spoken = [part for part in sorted(parts, key=lambda part: part.start) if part.kind != "scaffold"]
    if not spoken:
        return [("", text)]
    roles = turn_roles(kind, spoken)
    found: list[Turn] = []
    n_documents = 0
    for part in spoken:
        role = roles[part.part]
        if role == DOCUMENTS:
            n_documents += 1
            continue
        if not (part.kind == "system" and role != "system"):
            found.append((role, text[part.start : part.stop].strip()))
    counted = "over 1 document" if n_documents == 1 else f"over {n_documents:,} documents"
    return [*found, (DOCUMENTS, counted)] if n_documents else found


def turn_roles(kind: str, parts: Sequence[PromptPart]) -> dict[int, str]:
    """part -> the role that says it; '' in a prompt that is no chat. `parts`: those that somebody said, in order.

    An instruction that stands before documents is said with them, by the user.
    """
    found = {}
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if part.title in ROLES:
            role = part.title
        elif part.kind == "document":
            role = DOCUMENTS
        elif part.kind == "system" and not (after is not None and after.kind == "document" and after.title != "tool"):
            role = "system"
        else:
            role = "user"
        found[part.part] = role if kind == "chat" or role == DOCUMENTS else ""
    return found

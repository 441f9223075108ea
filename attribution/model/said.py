"""What a chat template made of somebody's words: kept as they are, or stripped of white space at their ends."""

from collections.abc import Mapping
from typing import Any


def said_at(text: str, start: int, content: str, after: str) -> str | None:
    """`content` as it stands in `text` at `start`, where the template's own `after` follows it; None where it does not.

    A template may strip words and write white space of its own beside them: what follows tells whose it is.
    """
    kept = (content, content.strip(), content.rstrip(), content.lstrip())
    return next((words for words in kept if text.startswith(words + after, start)), None)


def only_calls(message: Mapping[str, Any], content: str) -> bool:
    """Whether a message says nothing beside calls of tools, for whose words a template may then have no place."""
    return "tool_calls" in message and not content

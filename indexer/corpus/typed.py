"""A prompt as it is typed, on a command line or a page: plain text, or a line of a prompt file. Pure."""

import json
import re
from typing import Any

from attribution.errors import BadInput

# how what is meant as JSON begins: a key in any quotes after a brace, an object after a bracket, nothing in braces;
# plain text may begin with a brace or a bracket alone
_LIKE_JSON = re.compile(r"""\s*(\{\s*["“”„]|\{\s*'[^'\n]*'\s*:|\[\s*\{|\{\s*\}\s*$)""")


def without_mark(text: str) -> str:
    """Without the byte order mark that some editors put first: a shell and a clipboard hand it on."""
    return text.removeprefix("\ufeff")


def typed_row(text: str) -> dict[str, Any] | None:
    """The prompt that was typed as JSON: an object as in a prompt file, on one line or several, alone in an array, or
    the array of a chat's messages; None for plain text.

    Raises BadInput for what begins like JSON and is none, and for several prompts.
    """
    text = without_mark(text)
    if not _LIKE_JSON.match(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f'expected JSON, as the text begins, found: {error}; mend it, or ask the text itself: {{"prompt": "…"}}'
        ) from None
    if isinstance(value, dict):
        return value
    if all(isinstance(each, dict) and "role" in each for each in value):
        return {"messages": value}
    if len(value) != 1 or not isinstance(value[0], dict):
        raise BadInput(f"expected one prompt, found an array of {len(value)}; ask one at a time")
    row: dict[str, Any] = value[0]
    return row

"""A prompt as it is typed, on a command line or a page: plain text, or a line of a prompt file. Pure."""

import json
from typing import Any

from attribution.errors import BadInput

LINE = '{"'  # how a line of a prompt file begins; plain text may begin with a brace alone


def typed_row(text: str) -> dict[str, Any] | None:
    """The line of a prompt file that was typed; None for plain text. Raises BadInput for a line that is no JSON."""
    if not text.lstrip().startswith(LINE):
        return None
    try:
        row: dict[str, Any] = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"expected JSON after '{LINE}', found: {error}; mend it, or ask in plain words") from None
    return row

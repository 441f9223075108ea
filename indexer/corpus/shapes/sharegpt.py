"""Messages as ShareGPT writes them, {"from", "value"}, as messages with role and content."""

import json
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.shapes.columns import ROLES

# of ShareGPT -> the role
FROM = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"} | {
    **dict.fromkeys(("chatgpt", "bing", "bard", "model", "bot"), "assistant"),
    **dict.fromkeys(("function_response", "tool_response", "function"), "tool"),
    **{role: role for role in ROLES},
}


def as_message(value: Any) -> Any:
    """A message of ShareGPT as one with role and content; anything else as it is.

    Raises BadInput for one that is from nobody known. A `function_call` is JSON, or the assistant's words.
    """
    if not isinstance(value, dict) or "from" not in value or "role" in value:
        return value
    role = FROM.get(str(value["from"]))
    if role is None:
        raise BadInput(
            f"expected messages from {', '.join(FROM)} in 'conversations', found {str(value['from'])[:40]!r}"
        )
    made = {key: each for key, each in value.items() if key not in ("from", "value")}
    calls = _calls(value.get("value")) if value["from"] == "function_call" else []
    return made | {"role": role} | ({"content": "", "tool_calls": calls} if calls else {"content": value.get("value")})


def _calls(value: Any) -> list[dict[str, Any]]:
    """The calls of tools that a text writes as JSON, one or a list of them; [] for any other text."""
    try:
        made = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return []
    calls = made if isinstance(made, list) else [made]
    if not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in calls):
        return []
    return [{"type": "function", "function": each} for each in calls]

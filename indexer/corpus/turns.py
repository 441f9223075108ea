"""What a training document is made of where it is no plain text: as canonical JSON, and as text that a reader sees.

messages             {"messages": [{"role", "content", …}], "tools"?}
conversations        {"conversations": [{"from", "value", …}], "tools"?, "system"?}: the same, as ShareGPT names it
prompt+completion    {"prompt", "completion"}: two texts, or two lists of messages
chosen+rejected      {"prompt"?, "chosen", "rejected"}: texts, or lists of messages (what both begin with is the prompt)
input_ids            {"input_ids": [id], "borders"?: [first token of each document], "labels"?: [id, -100 for none]}
"""

import json
from collections.abc import Mapping
from typing import Any

from attribution.errors import BadInput
from attribution.model.said import written_out
from indexer.corpus.document import storable
from indexer.corpus.json_values import as_json
from indexer.corpus.shapes.columns import ROLES
from indexer.corpus.shapes.sharegpt import as_message

PAIR = '{"chosen":'  # what the JSON of a pair begins with: its keys are sorted
_CUT = 40  # characters of a wrong value that are shown

Messages = list[dict[str, Any]]


def is_pair(turns: str) -> bool:
    """Whether this JSON is that of an answer that is preferred to another."""
    return turns.startswith(PAIR)


def structured(shape: str, row: Mapping[str, Any]) -> tuple[str, str]:
    """(text, canonical JSON) of a row in one of SHAPES; ("", "") where it says nothing.

    Raises BadInput, naming the column, for a value that does not fit.
    """
    make = {
        "messages": _conversation,
        "conversations": _shared,
        "prompt+completion": _completion,
        "chosen+rejected": _preference,
    }
    text, made = make.get(shape, _given_ids)(row)
    if not text.strip():
        return "", ""
    return text, json.dumps(made, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _conversation(row: Mapping[str, Any], column: str = "messages") -> tuple[str, dict[str, Any]]:
    said = _messages(row.get(column), column)
    tools = _parsed(row.get("tools"))
    return _written(said), {"messages": said} | ({"tools": _clean(tools, "tools")} if tools else {})


def _shared(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    given, system = _parsed(row.get("conversations")), row.get("system")
    if isinstance(given, list):
        given = [as_message(each) for each in given]
        begins = [each.get("role") for each in given[:1] if isinstance(each, dict)]
        if given and begins != ["system"] and isinstance(system, str) and system.strip():
            given = [{"role": "system", "content": system}, *given]
    return _conversation({**row, "conversations": given}, "conversations")


def _completion(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if row.get("label") is False or str(row.get("label")).strip().lower() == "false":
        raise BadInput(
            "expected completions that the model was to write, found label false, one that it was to avoid; remove "
            "such rows, or give pairs in 'chosen' and 'rejected'"
        )
    prompt, completion = (_either(row.get(each), each) for each in ("prompt", "completion"))
    if isinstance(prompt, str) and isinstance(completion, str):
        return prompt + completion if completion.strip() else "", {"prompt": prompt, "completion": completion}
    if isinstance(prompt, str) or isinstance(completion, str):
        raise BadInput("expected texts or lists of messages for both 'prompt' and 'completion', found one of each kind")
    return _written([*prompt, *completion]), {"prompt": prompt, "completion": completion}


def _preference(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    chosen, rejected = (_either(row.get(each), each) for each in ("chosen", "rejected"))
    prompt = None if row.get("prompt") is None else _either(row["prompt"], "prompt")
    if isinstance(chosen, str) and isinstance(rejected, str):
        if isinstance(prompt, list):
            raise BadInput("expected a text for 'prompt' beside texts in 'chosen' and 'rejected', found messages")
        made = {"chosen": chosen, "rejected": rejected} | ({} if prompt is None else {"prompt": prompt})
        begin = "" if prompt is None else f"{prompt}\n"
        text = f"{begin}chosen: {chosen.lstrip(' ')}\nrejected: {rejected.lstrip(' ')}"
        return text if (chosen + rejected).strip() else "", made
    if isinstance(chosen, str) or isinstance(rejected, str):
        raise BadInput("expected texts or lists of messages for both 'chosen' and 'rejected', found one of each kind")
    asked, chosen, rejected = _asked(prompt, chosen, rejected)
    text = "\n".join([*_lines(asked), "chosen:", *_lines(chosen), "rejected:", *_lines(rejected)])
    return text if chosen or rejected else "", {"prompt": asked, "chosen": chosen, "rejected": rejected}


def _asked(prompt: str | Messages | None, chosen: Messages, rejected: Messages) -> tuple[Messages, Messages, Messages]:
    """The messages that both answers go on from, and the answers; a prompt may be given apart, and said again."""
    n = 0
    while n < min(len(chosen), len(rejected)) and chosen[n] == rejected[n]:
        n += 1
    both = chosen[:n]
    if isinstance(prompt, list) and both[: len(prompt)] != prompt:
        return [*prompt, *both], chosen[n:], rejected[n:]
    if isinstance(prompt, str) and prompt not in [each["content"] for each in both]:
        if both:
            raise BadInput("expected the text of 'prompt' among what 'chosen' and 'rejected' begin with, found another")
        both = [{"role": "user", "content": prompt}]
    return both, chosen[n:], rejected[n:]


def _given_ids(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    ids = _numbers(row.get("input_ids"), "input_ids", lowest=0)
    kept = [True] * len(ids)
    if row.get("attention_mask") is not None:
        kept = [each != 0 for each in _numbers(row["attention_mask"], "attention_mask", 0, len(ids))]
    made: dict[str, Any] = {"input_ids": [each for each, keep in zip(ids, kept, strict=True) if keep]}
    borders = _borders(row, len(ids))
    if borders:
        before = [sum(kept[:start]) for start in borders]
        made["borders"] = sorted({each for each in before if each < sum(kept)})
    if row.get("labels") is not None:
        labels = _numbers(row["labels"], "labels", -100, len(ids))
        other = next((i for i, each in enumerate(labels) if each >= 0 and each != ids[i]), None)
        if other is not None:
            raise BadInput(
                f"expected in 'labels' the number of 'input_ids' in its place, {ids[other]}, or -100 for what is not "
                f"learned, found {labels[other]} at place {other}; a trainer shifts them itself"
            )
        made["labels"] = [each for each, keep in zip(labels, kept, strict=True) if keep]
    return ("token ids: " + " ".join(map(str, made["input_ids"])) if made["input_ids"] else ""), made


def _borders(row: Mapping[str, Any], n: int) -> list[int]:
    """Where each of several documents in a row begins; [] where nothing says that there are several."""
    if row.get("borders") is not None:
        starts = _numbers(row["borders"], "borders", 0)
    elif row.get("seq_lengths") is not None:
        lengths = _numbers(row["seq_lengths"], "seq_lengths", 0)
        if sum(lengths) != n:
            raise BadInput(f"expected 'seq_lengths' that add up to the {n} 'input_ids', found {sum(lengths)}")
        starts = [sum(lengths[:i]) for i in range(len(lengths))]
    elif row.get("position_ids") is not None:
        starts = [i for i, each in enumerate(_numbers(row["position_ids"], "position_ids", 0, n)) if each == 0]
    else:
        return []
    if starts[:1] != [0] or sorted(set(starts)) != starts or starts[-1] >= n:
        raise BadInput(f"expected rising starts from 0 below {n} for the documents of a row, found {_short(starts)}")
    return starts


def _numbers(value: Any, column: str, lowest: int, n: int | None = None) -> list[int]:
    value = _parsed(value)
    if not isinstance(value, list) or not all(type(each) is int and each >= lowest for each in value):
        raise BadInput(f"expected whole numbers from {lowest} in {column!r}, found {_short(value)}")
    if n is not None and len(value) != n:
        raise BadInput(f"expected {n} numbers in {column!r}, one for each of 'input_ids', found {len(value)}")
    return value


def _either(value: Any, column: str) -> str | Messages:
    """A text, or messages; of CSV both are text, and messages begin with `[{`."""
    if isinstance(value, str) and not value.lstrip().startswith("[{"):
        return storable(value)
    return _messages(value, column)


def _messages(value: Any, column: str) -> Messages:
    value = _parsed(value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadInput(f"expected a list of messages in {column!r}, found {_short(value)}")
    return [message(each, column) for each in value]


def message(value: Any, column: str) -> dict[str, Any]:
    """A message with all that a chat template may read of it: role, content, and what else it has, as calls of tools.

    Raises BadInput for another role, and for what is no text.
    """
    role = value.get("role") if isinstance(value, dict) else None
    if role not in ROLES:
        raise BadInput(f"expected messages with role {', '.join(ROLES)} in {column!r}, found {_short(value)}")
    kept = {key: each for key, each in value.items() if each is not None and each != [] and key != "content"}
    said = content(value.get("content"), calls=bool(kept.get("tool_calls")))
    return {key: _clean(each, f"{column}.{key}") for key, each in kept.items()} | {"content": said}


def content(value: Any, calls: bool = False) -> str:
    """What a message says: a text, or a list of parts whose texts are joined; nothing is enough where it `calls` tools.

    Raises BadInput for a part that is no text, by its name, and for one without text.
    """
    if isinstance(value, str):
        return storable(value)
    if value is None and calls:
        return ""
    if not isinstance(value, list):
        raise BadInput(f"expected text for 'content' of a message, found {_short(value)}")
    for part in value:
        kind = part.get("type") if isinstance(part, dict) else type(part).__name__
        if kind != "text":
            raise BadInput(f"expected parts of type 'text' in 'content', found {_short(kind)}; only text is explained")
        if not isinstance(part.get("text"), str):
            raise BadInput(f"expected text for 'text', found {_short(part.get('text'))}; make it a string")
    return storable("".join(part["text"] for part in value))


def _written(said: Messages) -> str:
    return "\n".join(_lines(said)) if any(each["content"].strip() for each in said) else ""


def _lines(said: Messages) -> list[str]:
    return [written_out(each) for each in said]


def _clean(value: Any, field: str) -> Any:
    """The same, storable; what a table with one type for all rows fills in with nothing is left out.

    Raises BadInput, naming the field, for what `as_json` refuses.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple):
        return [_clean(each, field) for each in value]
    if isinstance(value, dict):
        return {storable(str(key)): _clean(each, f"{field}.{key}") for key, each in value.items() if each is not None}
    return as_json(value, field)


def _parsed(value: Any) -> Any:
    """Lists are JSON in a column of text, as in CSV."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _CUT else shown[:_CUT] + "…"

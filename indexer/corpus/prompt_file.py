"""EDGE: reads the prompt file: one prompt, chat or retrieval question a line, or an array of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.prompt import Message, Prompt
from indexer.corpus.rows import rows
from indexer.corpus.typed import typed_row

_KNOWN = ("topic", "answer", "completion", "foil")


def read_prompts(file: Path) -> tuple[Prompt, ...]:
    """Read rows {"prompt"} | {"messages"} | {"question", "docs"[, "output"]}, each with optional
    "completion" (or "output"), "foil", "answer", "topic", "supports" (ids of the documents that state the answer, ours
    or the corpus's own: see indexer.corpus.supports) and "fact" (the words of the answer that tell it, where the answer
    is a whole sentence); other keys are left alone.

    Raises BadInput, naming the line, for any other shape, for an empty prompt and for a repeated one.
    """
    prompts: dict[str, Prompt] = {}
    places: dict[str, str] = {}
    for place, row in rows(file):
        try:
            prompt = replace(prompt_from_row(row), supports=_supports(row), fact=_optional(row, "fact") or "")
        except BadInput as error:
            raise BadInput(f"{place}: {error}") from None
        if prompt.prompt_id in prompts:
            first = places[prompt.prompt_id]
            raise BadInput(f"expected every prompt once, found that of {first} again in {place}; remove one")
        prompts[prompt.prompt_id] = prompt
        places[prompt.prompt_id] = place
    if not prompts:
        raise BadInput(f'expected at least one prompt in {file.name}, found none; add a line {{"prompt": …}}')
    return tuple(prompts.values())


def prompt_from_line(line: str, foil: str | None = None) -> Prompt:
    """What is typed on a command line: plain text, or a line of a prompt file."""
    row = typed_row(line)
    if row is None:
        return Prompt.from_text(line, foil=foil)
    return prompt_from_row(row | ({} if foil is None else {"foil": foil}))


def prompt_from_row(row: dict[str, Any]) -> Prompt:
    """One parsed line as a Prompt; raises BadInput without naming a place."""
    known = {key: _optional(row, key) for key in _KNOWN}
    if known["completion"] is None:
        known["completion"] = _optional(row, "output")
    shapes = [key for key in ("prompt", "messages", "question") if row.get(key) is not None]
    if len(shapes) != 1:
        found = " and ".join(map(repr, shapes)) or ", ".join(map(repr, list(row)[:5])) or "nothing"
        raise BadInput(f"expected one of 'prompt', 'messages', 'question' with 'docs', found {found}; keep one")
    if shapes == ["prompt"]:
        return Prompt.from_text(_text(row["prompt"], "prompt"), **known)
    if shapes == ["messages"]:
        return Prompt.from_messages([_message(each) for each in _items(row, "messages")], **known)
    return Prompt.from_question(_text(row["question"], "question"), [_doc(d) for d in _items(row, "docs")], **known)


def _supports(row: dict[str, Any]) -> tuple[str, ...]:
    if row.get("supports") is None:
        return ()
    return tuple(str(each) if type(each) is int else _text(each, "supports") for each in _items(row, "supports"))


def _message(value: Any) -> Message:
    if not isinstance(value, dict) or value.get("role") not in ("system", "user", "assistant"):
        raise BadInput(f"expected a message with role system, user or assistant, found {_short(value)}")
    return Message(value["role"], _text(value.get("content"), "content"))


def _doc(value: Any) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise BadInput(f'expected a document {{"title", "text"}} in \'docs\', found {_short(value)}')
    return _optional(value, "title") or "", _text(value.get("text"), "text")


def _items(row: dict[str, Any], key: str) -> list[Any]:
    value = row.get(key, [] if key == "docs" else None)
    if not isinstance(value, list) or (key == "messages" and not value):
        raise BadInput(f"expected a list for {key!r}, found {_short(value)}; write [ … ]")
    return value


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"expected text for {key!r}, found {_short(value)}; make it a string")
    return value


def _optional(row: dict[str, Any], key: str) -> str | None:
    return None if row.get(key) is None else _text(row[key], key)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:40] + "…"

"""EDGE: reads the prompt file: one prompt, chat or retrieval question a line, or an array of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.corpus.json_values import as_json
from indexer.corpus.prompt import Message, Prompt
from indexer.corpus.rows import rows
from indexer.corpus.turns import message
from indexer.corpus.typed import typed_row, without_mark

_KNOWN = ("topic", "answer", "completion", "foil", "foil_of", "instruction", "doc_prompt")
_OF_CHATS = ("docs", "template", "tools")  # what a plain prompt has no place for


def read_prompts(file: Path) -> tuple[Prompt, ...]:
    """Read rows {"prompt"} | {"messages"[, "docs", "tools"]} | {"question", "docs"[, "output"]}, each with optional
    "completion" (or "output"), "foil" (with "foil_of", the words of the answer that it stands against), "answer",
    "topic", "supports" (ids of the documents that state the answer, ours or the corpus's own: see
    indexer.corpus.supports), "fact" (the words of the answer that tell it, where the answer is a whole sentence),
    "template" (variables of the chat template), "instruction", "doc_prompt" (see Wording); other keys are left alone.

    Raises BadInput, naming the line, for any other shape, for an empty prompt and for a repeated one.
    """
    return tuple(placed_prompts(file).values())


def placed_prompts(file: Path) -> dict[str, Prompt]:
    """The same by their places in the file, as "prompts.jsonl line 3"."""
    prompts: dict[str, Prompt] = {}
    places: dict[str, str] = {}
    for place, row in rows(file):
        try:
            prompt = replace(prompt_from_row(row), supports=_supports(row), fact=_optional(row, "fact") or "")
        except BadInput as error:
            raise BadInput(f"{place}: {error}") from None
        beside = [prompt.template, [each.more for each in prompt.messages]]
        same = prompt.prompt_id + json.dumps(beside, sort_keys=True)
        if same in places:
            raise BadInput(f"expected every prompt once, found that of {places[same]} again in {place}; remove one")
        prompts[place] = prompt
        places[same] = place
    if not prompts:
        raise BadInput(f'expected at least one prompt in {file.name}, found none; add a line {{"prompt": …}}')
    return prompts


def prompt_from_line(line: str, foil: str | None = None, foil_of: str | None = None) -> Prompt:
    """What is typed on a command line: plain text, or a line of a prompt file."""
    row = typed_row(line)
    if row is None:
        return Prompt.from_text(without_mark(line), foil=foil, foil_of=foil_of)
    named = {"foil": foil, "foil_of": foil_of}
    return prompt_from_row(row | {key: value for key, value in named.items() if value is not None})


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
        if beside := [key for key in _OF_CHATS if row.get(key)]:
            raise BadInput(f"expected {beside[0]!r} beside 'messages' or 'question', found it beside 'prompt'")
        return Prompt.from_text(_text(row["prompt"], "prompt"), **known)
    docs, template = [_doc(each) for each in _items(row, "docs")], _template(row)
    if shapes == ["messages"]:
        said = [_message(each) for each in _items(row, "messages")]
        return replace(Prompt.from_messages(said, docs, **known), template=template)
    return replace(Prompt.from_question(_text(row["question"], "question"), docs, **known), template=template)


def _supports(row: dict[str, Any]) -> tuple[str, ...]:
    if row.get("supports") is None:
        return ()
    return tuple(str(each) if type(each) is int else _text(each, "supports") for each in _items(row, "supports"))


def _message(value: Any) -> Message:
    made = message(value, "messages")
    return Message(made.pop("role"), made.pop("content"), made)


def _template(row: dict[str, Any]) -> dict[str, Any]:
    value = row.get("template")
    if value is not None and not isinstance(value, dict):
        raise BadInput(f"expected variables of the chat template for 'template', found {_short(value)}; write {{ … }}")
    made = {name: as_json(each, f"template.{name}") for name, each in (value or {}).items()}
    if not row.get("tools"):
        return made
    if "tools" in made:
        raise BadInput("expected tools once, found 'tools' and 'tools' in 'template'; keep one")
    return made | {"tools": as_json(_items(row, "tools"), "tools")}


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

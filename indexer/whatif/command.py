"""EDGE: `ask --document`: a table of what texts that were not trained on would do for an answer, or JSON."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.ask.opened import open_size
from indexer.config.config import Config
from indexer.corpus.prompt_file import prompt_from_line
from indexer.processes.progress import Report
from indexer.size.answers import answer
from indexer.size.rendered import rendered
from indexer.whatif.given import documents_of
from indexer.whatif.result import as_json
from indexer.whatif.steps import check_instead, what_if

SHOWN = 20  # texts of a file
WIDE = 60  # characters of a text
EDIT = ("in its place", "old text out", "new text in")  # the first is the sum of the others, as on the page


def run(
    config: Config,
    prompt: str,
    model: str,
    foil: str | None,
    foil_of: str | None,
    file: Path,
    instead_of: str | None,
    as_json_text: bool,
) -> None:
    """Print the influence of the texts of `file` on what the model writes after `prompt`."""
    asked_for = prompt_from_line(prompt, foil, foil_of)
    documents = documents_of(file, config.corpus.text, config.output.folder)
    check_instead(documents, instead_of)
    name = model or config.model[0].name
    with Report() as report, report.task(name, 1.0, quiet=True) as task:
        opened = open_size(config, name)
        settings = config.prompts
        made = answer(
            opened.member.loaded, rendered(asked_for, opened.member.loaded, settings), settings.max_new_tokens
        )
        found = what_if(opened, made, documents, instead_of, lambda step, fraction: task.move(fraction, step))
    result = as_json(found, opened)
    if as_json_text:
        json.dump(result, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _show(result)


def _show(result: dict[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(Text.assemble((result["prompt"], "dim"), result["text"]), soft_wrap=True)
    for notice in result["notices"]:
        console.print(f"notice: {notice}", style="dim", markup=False)
    console.print(_by_word(result) if len(result["texts"]) == 1 else _by_text(result))
    n = f"{result['n_train']:,} documents of {result['stage']}"
    said = f"influence: on log p, if the text were seen once more beside the {n}"
    if result["instead_of"] is not None:
        said = f"in its place: the change of log p, had training on the {n} read this text and not that one; the old \
text out and the new text in add up to it"
    said += "; by the formula: its nats are not those that training again gives"
    console.print(said, style="dim")


def _table(*columns: tuple[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, overflow="fold")
    return table


def _by_word(result: dict[str, Any]) -> Table:
    """A line for each word, for each token that is not one, and for the whole answer: of an edit, one change, and the
    two parts of it."""
    edited = result["instead_of"] is not None
    table = _table(("word or token", "left"), *((name, "right") for name in (EDIT if edited else ("text",))))
    for said, new, old in _parts(result):
        numbers = [new] if old is None else [new - old, -old, new]
        table.add_row(Text(said), *(f"{number:+.4f}" for number in numbers))
    return table


def _parts(result: dict[str, Any]) -> Iterator[tuple[str, float, float | None]]:
    """(what it is, of the text, of the document that it replaces), in the order of the answer, the whole of it last."""
    new, old = result["texts"][0]["scores"], result["instead_of"]
    *words, whole = result["spans"]
    alone = {span["first"] for span in words if span["first"] == span["last"]}
    for k, token in enumerate(result["tokens"]):
        for span in (each for each in words if each["first"] == k):
            yield result["text"][span["start"] : span["stop"]], span["scores"][0], span["instead_of"]
        if k not in alone:
            yield repr(token["text"]), new[k], None if old is None else old["scores"][k]
    yield "the whole answer", whole["scores"][0], whole["instead_of"]


def _by_text(result: dict[str, Any]) -> Table:
    """A line for each text, the most helpful first."""
    totals = np.array(result["spans"][-1]["scores"])
    table = _table(("answer", "right"), ("word of largest influence", "left"), ("text", "left"))
    words = result["spans"][:-1] or result["spans"]
    for i in np.argsort(-totals, kind="stable")[:SHOWN].tolist():
        most = max(words, key=lambda span: abs(span["scores"][i]))
        said = f"{result['text'][most['start'] : most['stop']]} {most['scores'][i]:+.4f}"
        text = " ".join(result["texts"][i]["text"][: 4 * WIDE].split())[:WIDE]
        table.add_row(f"{totals[i]:+.4f}", Text(said), Text(text))
    if len(totals) > SHOWN:
        table.caption = f"the {SHOWN} most helpful of {len(totals):,}; --json has all"
    return table

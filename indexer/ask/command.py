"""EDGE: the `ask` command: a table of tokens with their top documents, or JSON."""

import json
import math
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.ask.opened import Opened, open_size
from indexer.ask.result import as_json
from indexer.ask.steps import Asked, ask
from indexer.config import Config
from indexer.corpus.prompt import Prompt
from indexer.progress import Report

SHOWN = 3  # documents of each token


def run(config: Config, prompt: str, model: str, foil: str | None, as_json_text: bool) -> None:
    """Print what the model wrote after `prompt` and, for every token, the documents that pushed most towards it."""
    with Report() as report, report.task(f"{model or config.model[0].name}", 1.0, quiet=True) as task:
        opened = open_size(config, model or config.model[0].name)
        asked = ask(opened, Prompt.from_text(prompt), _steps(task.move), foil=foil)
    if as_json_text:
        json.dump(as_json(asked, opened), sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _show(asked, opened)


def _steps(move: Callable[[float, str], None]) -> Callable[[str, float, Asked], None]:
    return lambda stage, fraction, _asked: move(fraction, stage)


def _show(asked: Asked, opened: Opened) -> None:
    assert asked.exact is not None  # noqa: S101 - a finished question has scores
    console = Console(highlight=False)
    generation = asked.answer.generation
    console.print(Text.assemble((asked.answer.prompt.text, "dim"), generation.text), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for name, justify in (("token", "left"), ("probability", "right"), ("influence", "right"), ("document", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    documents = opened.fitted.member.documents
    for q, ((start, stop), logp) in enumerate(zip(generation.spans, generation.logp, strict=True)):
        kept, layers = asked.exact.kept.ranked[q], asked.exact.kept.layers[q]
        for k in range(min(SHOWN, len(kept.documents))):
            token = Text(repr(generation.text[start:stop]) if k == 0 else "")
            probability = f"{100 * math.exp(logp):.1f} %" if k == 0 else ""
            document = documents[int(kept.documents[k])]
            table.add_row(token, probability, f"{float(layers[k].sum()):+.4f}", Text(document.text))
    console.print(table)
    console.print(
        "influence: predicted change of log p(token), in nats, if the document were seen once more", style="dim"
    )

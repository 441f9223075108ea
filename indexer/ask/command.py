"""EDGE: the `ask` command: a table of tokens with their top documents, or JSON."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from attribution.errors import BadInput
from indexer.ask.kept import cannot_keep, keep
from indexer.ask.opened import Opened, open_size
from indexer.ask.result import as_json
from indexer.ask.steps import Asked, ask
from indexer.config.config import Config
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import prompt_from_line
from indexer.groups.scores import GroupScores
from indexer.processes.progress import Report
from indexer.tracing.explain import Explained
from indexer.tracing.ranking import Ranked
from indexer.tracing.spans import ANSWER

SHOWN = 3  # documents of each token, groups of each column
NO_VALUE = "(none)"


def run(
    config: Config,
    prompt: str,
    model: str,
    foil: str | None,
    foil_of: str | None,
    saliency: Sequence[str],
    as_json_text: bool,
    save: bool,
    exact: bool = False,
) -> None:
    """Print what the model wrote after `prompt` (text, or a line of a prompt file) and, for the whole answer and for
    every token, the documents that pushed most towards it; or, where the prompt brings documents of its own, what it
    cites of them. `save` keeps the answer where the dashboard finds it; `exact` solves as `ekfac_cg` does.

    Raises BadInput where it cannot be kept.
    """
    asked_for = prompt_from_line(prompt, foil, foil_of)
    with Report() as report, report.task(f"{model or config.model[0].name}", 1.0, quiet=True) as task:
        opened = open_size(config, model or config.model[0].name)
        if save and (lost := cannot_keep(config.output.folder)):
            raise BadInput(f"{lost}; ask without --save")
        asked = ask(opened, asked_for, _steps(task.move), methods=saliency or None, exact=exact)
    if save:
        _save(config, model or config.model[0].name, asked_for, as_json(asked, opened), exact)
    if as_json_text:
        json.dump(as_json(asked, opened), sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _show(asked, opened)


def _save(config: Config, model: str, asked_for: Prompt, result: dict[str, Any], exact: bool) -> None:
    request: dict[str, Any] = {"folder": str(config.output.folder.resolve()), "model": model, "prompt": asked_for.text}
    named = {"foil": asked_for.foil, "foil_of": asked_for.foil_of}
    request |= {key: value for key, value in named.items() if value is not None}
    request |= {"exact": True} if exact else {}
    lost = keep(config.output.folder, request, result)
    if lost:
        raise BadInput(f"{lost}; ask without --save")


def _steps(move: Callable[[float, str], None]) -> Callable[[str, float, Asked], None]:
    return lambda stage, fraction, _asked: move(fraction, stage)


def _show(asked: Asked, opened: Opened) -> None:
    console = Console(highlight=False)
    generation = asked.answer.generation
    console.print(Text.assemble((asked.answer.prompt.text, "dim"), generation.text), soft_wrap=True)
    for notice in (*asked.answer.prompt.notices, *asked.answer.notices):
        console.print(f"notice: {notice}", style="dim", markup=False)
    _show_citations(console, asked)
    if asked.exact is None:
        return
    table = Table(box=None, pad_edge=False)
    for name, justify in (("token", "left"), ("probability", "right"), ("influence", "right"), ("document", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, logp, ranked, layers in _targets(asked, asked.exact):
        for k in range(min(SHOWN, len(ranked.documents))):
            probability = f"{100 * math.exp(logp):.1f} %" if k == 0 else ""
            document = opened.member.documents[int(ranked.documents[k])]
            table.add_row(
                Text(name if k == 0 else ""), probability, f"{float(layers[k].sum()):+.4f}", Text(document.text)
            )
    console.print(table)
    console.print(
        "influence: of the document, seen once more, on log p of the token, or of the whole answer; by the formula, to "
        "be compared within a list: its nats are not those that training again gives",
        style="dim",
    )
    if asked.solving is not None:
        console.print(asked.solving.said, style="dim")
    if asked.groups is not None:
        _show_groups(console, asked.groups)


def _show_groups(console: Console, of: GroupScores) -> None:
    """Of each column, the whole groups that helped the answer most, the sum over its tokens."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (("whole group", "left"), ("documents", "right"), ("influence", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    totals = of.values.sum(axis=0)
    for column in dict.fromkeys(group.column for group in of.groups):
        mine = sorted((g for g, group in enumerate(of.groups) if group.column == column), key=lambda g: -totals[g])
        for g in mine[:SHOWN]:
            group = of.groups[g]
            said = f"{column}: {group.value or NO_VALUE}" if column else f"all of {group.corpus}"
            error = "" if of.errors is None else f" ± {of.errors[:, g].sum():.4f}"
            table.add_row(Text(said), f"{group.n_documents:,}", f"{totals[g]:+.4f}{error}")
    console.print(table)


def _targets(asked: Asked, exact: Explained) -> Iterator[tuple[str, float, Ranked, NDArray[np.float32]]]:
    """The whole answer, where it is one, then the tokens: name, log p, documents and their scores by layer."""
    generation, of = asked.answer.generation, exact.spans
    for k, (_, number) in enumerate(of.places):
        span = asked.spans[number]
        if span.kind == ANSWER:
            yield "the whole answer", sum(generation.logp[n] for n in span.tokens), of.ranked[k], of.layers[k]
    for q, ((start, stop), logp) in enumerate(zip(generation.spans, generation.logp, strict=True)):
        yield repr(generation.text[start:stop]), logp, exact.kept.ranked[q], exact.kept.layers[q]


def _show_citations(console: Console, asked: Asked) -> None:
    """Of each method, the documents of the prompt that the answer rests on, best first."""
    if asked.share is None or not asked.share.citations:
        return
    titles = {part.part: part.title for part in asked.answer.prompt.parts}
    table = Table(box=None, pad_edge=False)
    for name in ("sentence", "method", "cited documents of the prompt"):
        table.add_column(name, overflow="fold")
    for method, cited in asked.share.citations.items():
        for sentence in sorted({each.sentence for each in cited}):
            found = [f"{titles[each.part]} {each.score:.2f}" for each in cited if each.sentence == sentence]
            table.add_row(str(sentence + 1), Text(method), Text(", ".join(found)))
    console.print(table)

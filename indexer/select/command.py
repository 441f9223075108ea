"""EDGE: the command `select`: what to do with documents for a target set, or with texts to add, as JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from attribution.errors import BadInput
from indexer.ask.opened import Opened, open_size
from indexer.config.config import Config
from indexer.config.targets import TargetSet
from indexer.corpus.document import Document
from indexer.journal.files import replace_lines
from indexer.processes.progress import Report
from indexer.select.choose import choose
from indexer.select.line import DROP, KEEP, LOOK, Line
from indexer.select.lines import candidate_lines, document_lines
from indexer.select.share import Keep, keep_of
from indexer.sets.chosen import ends
from indexer.sets.query import set_query
from indexer.sets.stage import set_before
from indexer.sets.texts import ReadSet, read_as, read_texts
from indexer.size.fitted import Fitted
from indexer.whatif.given import documents_of
from indexer.whatif.read import as_read
from indexer.whatif.scores import totals

SHOWN = 5  # lines of each verdict that are printed
CUT = 100  # characters of a text that is printed


def run(
    config: Config, target: str, keep: str, model: str, out: Path | None, diverse: bool, candidates: Path | None
) -> None:
    """Print how many documents have which verdict, and the first of each; write all lines to `out`.

    Raises BadInput for an unknown set or model, a share that is none, more than there are, and texts that cannot be
    read, all before a model is opened; and for a build without the set.
    """
    wanted, of = keep_of(keep), _set(config, target)
    given = None if candidates is None else documents_of(candidates, config.corpus.text, near=config.output.folder)
    if given is not None:
        wanted.of(len(given))
    texts = read_texts(of)
    name = model or config.model[0].name
    with Report() as report, report.task(name, 1.0, quiet=True) as task:
        opened = open_size(config, name)
        if opened.traced is None:
            raise BadInput("expected a build with influence, found none; name a method in [scores] and build again")
        asked = ReadSet(of, tuple(read_as(opened.member, text) for text in texts))
        task.move(0.2, "target set")
        if given is None:
            lines = _of_corpus(opened, opened.traced.fitted, asked, wanted, diverse)
        else:
            lines = _of_candidates(opened, opened.traced.fitted, asked, wanted, diverse, given)
        seen = Seen()
        if out is None:
            for each in lines:
                seen.add(each)
        else:
            replace_lines(out, _written(lines, seen), "select")
    _show(seen, out)


class Seen:
    """Of each verdict, how many lines there were, and the first of them: each holds a whole text."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys((KEEP, DROP, LOOK), 0)
        self.first: dict[str, list[Line]] = {verdict: [] for verdict in self.counts}

    def add(self, line: Line) -> None:
        if self.counts[line.verdict] < SHOWN:
            self.first[line.verdict].append(line)
        self.counts[line.verdict] += 1


def _written(lines: Iterable[Line], seen: Seen) -> Iterator[str]:
    """Lines as they stand in the file, each seen."""
    for each in lines:
        seen.add(each)
        yield json.dumps(each.as_json(), ensure_ascii=False) + "\n"


def _set(config: Config, name: str) -> TargetSet:
    known = {of.name: of for of in config.targets}
    if name not in known:
        there = f"choose from {', '.join(known)}" if known else "add a table [[targets]] and build again"
        raise BadInput(f"expected a target set of the configuration, found {name!r}; {there}")
    return known[name]


def _of_corpus(opened: Opened, fitted: Fitted, asked: ReadSet, wanted: Keep, diverse: bool) -> Iterator[Line]:
    member = opened.member
    kept = set_before(member.config.output.folder, fitted, asked)
    best, documents = ends(kept.estimates, asked.of.scored), member.documents
    text_of = (lambda i: documents[i].text) if diverse else None
    choices = choose(best, kept.estimates, kept.scores, kept.null, wanted.of(len(best.order)), text_of)
    yield from document_lines(choices, documents, kept)


def _of_candidates(
    opened: Opened, fitted: Fitted, asked: ReadSet, wanted: Keep, diverse: bool, given: Sequence[Document]
) -> Iterator[Line]:
    member = opened.member
    null = set_before(member.config.output.folder, fitted, asked).null
    query = set_query(fitted, asked.weighted)
    read = as_read(member, given)
    scores = totals(fitted.terms[-1], query.directions[-1], [each.row for each in read])[0]
    known = frozenset(member.places(each.document_id for each in given))
    yield from candidate_lines(given, scores, null, wanted.of(len(given)), diverse, known)


def _show(seen: Seen, out: Path | None) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for name, justify in (("", "left"), ("rank", "right"), ("influence", "right"), ("text", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for verdict, some in seen.first.items():
        for k, each in enumerate(some):
            value = each.score if each.score is not None else each.estimate
            number = "" if value is None else f"{value:+.2e}"
            said = " ".join(each.text.split())
            shown = said if len(said) <= CUT else f"{said[: CUT - 1]}…"
            reason = f" ({each.reason})" if each.reason else ""
            table.add_row(verdict if k == 0 else "", f"{each.rank:,}", number, Text(shown + reason))
    console.print(table)
    counts = ", ".join(f"{verdict} {n:,}" for verdict, n in seen.counts.items())
    console.print(f"{counts}{f' -> {out}' if out else ''}", markup=False)
    console.print(
        "influence: of the document, seen once more, on the mean log p of a token of the set; by the formula, to be "
        "compared within a list: its nats are not those that training again gives",
        style="dim",
    )

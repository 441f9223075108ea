"""What was built, and the command that opens it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.config.estimator import estimators
from indexer.corpus.reader import CorpusReading
from indexer.journal.stages import Finished
from indexer.pipeline.report.facts import TOP, Facts
from indexer.pipeline.report.skipped import skipped
from indexer.processes.progress import Report

NAMED = 3  # of the skipped documents


@dataclass(frozen=True)
class Built:
    """One size: its parts, seconds by stage, and whether the documents that state its answers were found."""

    name: str
    parts: Sequence[Finished]
    seconds: dict[str, float]
    n_tokens: int
    n_cut: int
    n_skipped: int
    facts: Facts


@dataclass
class Summary:
    config: Path
    folder: Path
    corpora: Sequence[CorpusReading]
    n_prompts: int
    sizes: list[Built] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # names of sizes that were built before and stay
    snapshot: Path | None = None


def show(summary: Summary, report: Report) -> None:
    """Documents and what was skipped, prompts, tokens, seconds, facts found, size of the database, the next command."""
    for line in (*(line for corpus in summary.corpora for line in corpus.report()), f"{summary.n_prompts} prompts"):
        report.say(line)
    for size in summary.sizes:
        stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in size.seconds.items())
        report.say(f"{size.name}: {size.n_tokens} generated tokens explained ({stages})")
        if size.n_cut:
            report.say(f"  {size.n_cut} documents were longer than the context and were cut")
        if size.n_skipped:
            named = skipped(size.parts)
            which = ", ".join(named[:NAMED]) + (" …" if len(named) > NAMED else "")
            report.say(f"  {size.n_skipped} documents have a gradient that is not finite and were skipped: {which}")
        if size.facts.n_prompts:
            report.say(f"  {_facts(size.facts)}")
    if summary.kept:
        report.say(f"kept as built before: {', '.join(summary.kept)}")
    if summary.snapshot is not None:
        megabytes = summary.snapshot.stat().st_size / 1e6
        report.say(f"database: {summary.snapshot} ({megabytes:.1f} MB)")
    report.say(f"open it: whence serve {summary.folder}")


def _facts(facts: Facts) -> str:
    right = f"{facts.n_right} of {facts.n_prompts} answers right"
    if not facts.ranks:
        return right
    found = facts.found(facts.ranks)
    if facts.whole:
        by = [(next(iter(estimators().values())).label, facts.ranks), *facts.others]
        each = [f"{facts.found(ranks)} by {label}" for label, ranks in by]
        return f"{right}; a document that states the fact stands first for the whole answer of {', '.join(each)}"
    return f"{right}; where the fact stands in one document, that document is rank 1 to {TOP} for {found}"

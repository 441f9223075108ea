"""Every estimator and saliency method as a table in Markdown, for the documentation: written from the records. Pure."""

from collections.abc import Sequence

from attribution.prompt.saliency.method import computed
from indexer.config.estimator import estimators


def estimator_table() -> str:
    """What `[scores] method` may name."""
    rows = [(f"`{each.name}`", each.label, each.note, each.cost) for each in estimators().values()]
    return _table(("`[scores] method`", "on pages", "what it is", "cost of one size"), rows)


def saliency_table() -> str:
    """What `[prompts] saliency` and `--saliency` may name."""
    rows = [(f"`{each.name}`", each.label, each.note, each.cost) for each in computed().values()]
    return _table(("`[prompts] saliency`", "on pages", "what it is", "cost of one answer"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)

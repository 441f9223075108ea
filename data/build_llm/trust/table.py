"""The figures as a table of markdown, a row for each method in the order of LDS. Pure."""

from collections.abc import Sequence

from data.build_llm.trust.measures import ABOVE
from indexer.evaluate.statistics.figures import Figure

LABELS = {
    "lds": "LDS",
    ABOVE: "LDS less that of `ekfac`",
    "lds_without_self": "LDS without self",
    "mrr": "MRR",
    "recall@1": "found first",
}
ORDER = "lds"  # the column that they stand in the order of


def rows(figures: Sequence[Figure]) -> list[str]:
    """Only columns that some figure fills."""
    figures = [each for each in figures if _is_column(each.metric)]
    metrics = list(dict.fromkeys(each.metric for each in figures))
    found = {(each.method, each.metric): each for each in figures}
    methods = sorted(
        dict.fromkeys(each.method for each in figures),
        key=lambda method: found[method, ORDER].value if (method, ORDER) in found else 2.0,
    )
    head = ["method", *(_label(name) for name in metrics)]
    body = [[method, *(_cell(found.get((method, name))) for name in metrics)] for method in methods]
    return [_row(head), _row(["---"] * len(head)), *(_row(each) for each in body)]


def _is_column(metric: str) -> bool:
    return not metric.endswith("_behind") and not metric.startswith("best ")


def _label(metric: str) -> str:
    stem, _, n = metric.partition("@")
    return LABELS.get(metric) or (f"lost without its {n}" if stem == "drop" else metric)


def _cell(of: Figure | None) -> str:
    if of is None:
        return ""
    return f"{of.value:.2f}" if of.low is None else f"{of.value:.2f} ({of.low:.2f} to {of.high:.2f})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""What each method is worth, as one table: a row for each method, a column for each measure. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.drawing.numbers import percent
from indexer.evaluate.statistics.best_method import close_to
from indexer.evaluate.statistics.metrics import Metric, in_order, metric

MEASURES = ("lds_without_self", "lds", "mrr", "recall@1", "planted@3", "tail_patch", "drop@20")  # the columns
PART = ", "  # in the name of what only an evaluation computes: some of the layers, another damping
BEST = "best for "
LEFT_OUT = 20  # documents, in the sentence about removal
MANY = 3  # times as many answers as with BM25 would be a difference


def label_of(name: str) -> str:
    """How a stored figure is named; its own name where no evaluation of this version writes it."""
    known = metric(name)
    return known.label if known else name


def by_method(figures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each model and method that a build can store, the best of each model first.

    figures: rows with Model, Figure, Method, Value. A measure that was not taken is None, one that no row has is left
    out, and so is the model where there is only one.
    """
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for each in figures:
        if each["Figure"] in MEASURES and PART not in each["Method"]:
            rows.setdefault((each["Model"], each["Method"]), {})[each["Figure"]] = each["Value"]
    models = list(dict.fromkeys(each["Model"] for each in figures))
    taken = [name for name in MEASURES if any(name in row for row in rows.values())]
    ordered = sorted(rows, key=lambda at: (models.index(at[0]), *(-rows[at].get(name, -9e9) for name in taken)))
    several = len({model for model, _ in rows}) > 1
    return [
        ({"Model": model} if several else {})
        | {"Method": method_name(method)}
        | {of.label: rows[model, method].get(name) for name in taken if (of := metric(name)) is not None}
        for model, method in ordered
    ]


def explained(names: Iterable[str]) -> list[Metric]:
    """What these figures are, as far as it is known."""
    return [of for name in in_order(names) if (of := metric(name)) is not None]


def decided(figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(question, answer) of what evaluation found best, for each model."""
    return [
        (
            f"{each['Figure'].capitalize()}, {each['Model']}",
            f"{method_name(each['Method'])}, {each['Value']:.2f}"
            + (f" ({each['95 % interval']})" if each["95 % interval"] else "")
            + _undecided(close_to(each["How it was measured"])),
        )
        for each in figures
        if each["Figure"].startswith(BEST)
    ]


def _undecided(close: Sequence[str]) -> str:
    return f"; on these data it is not told apart from {'; '.join(map(method_name, close))}" if close else ""


def removal(figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(what was done, what came of it) for each model that was trained again without the documents blamed most."""
    found = []
    for model in dict.fromkeys(each["Model"] for each in figures):
        of = [each for each in figures if each["Model"] == model]
        flipped = {each["Method"]: each["Value"] for each in of if each["Figure"] == f"flips@{LEFT_OUT}"}
        lost = {each["Method"]: each["Value"] for each in of if each["Figure"] == f"drop@{LEFT_OUT}"}
        both = [method for method in flipped if method in lost]
        if both:
            said = "; ".join(f"{method_name(m)} {percent(flipped[m])} ({lost[m]:.1f} nats a token)" for m in both)
            done = f"Trained again without the {LEFT_OUT} documents blamed most, {model}"
            found.append((done, f"answers that change (and lose): {said}.{_verdict(flipped)}"))
    return found


def _verdict(flipped: Mapping[str, float]) -> str:
    """Whether influence flips clearly more answers than words in common do; "" where that was not measured."""
    influence = [value for method, value in flipped.items() if method.startswith("ekfac")]
    if not influence or "bm25" not in flipped:
        return ""
    enough = max(influence) > 0 and max(influence) >= MANY * flipped["bm25"]
    how_many = "at least" if enough else "fewer than"
    return f" What influence blames changes {how_many} {MANY} times as many answers as what BM25 finds."

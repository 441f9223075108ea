"""What was measured, in plain sentences: does influence agree with training again, and where do answers stand? Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.drawing.numbers import percent
from dashboard.screens.about.measured import PART
from indexer.evaluate.statistics.best_method import leader

Figures = Sequence[Mapping[str, Any]]
Fact = tuple[str, str]  # (what was asked, what came of it)


def told(figures: Figures) -> list[Fact]:
    """For each model, as far as it was measured; the best estimator that a build can store beside what is to be beaten
    and what could be reached.    figures: rows with Model, Figure, Method, Value"""
    found = []
    for model in dict.fromkeys(each["Model"] for each in figures):
        of = [each for each in figures if each["Model"] == model]
        found += [fact for fact in (_retrained(model, of), _stated(model, of), _planted(model, of)) if fact]
    return found


def where_measured(figures: Figures) -> list[str]:
    """A line for each day and command of what was not measured for this database."""
    known = dict.fromkeys((each["Measured"], each["Command"]) for each in figures if each.get("Measured"))
    return [
        f"Measured on {_day(day)} by “{command}”, for the same weights, documents and settings as here."
        for day, command in known
    ]


def _retrained(model: str, of: Figures) -> Fact | None:
    plain, without = _values(of, "lds"), _values(of, "lds_without_self")
    best = leader(without)
    if not best or best not in plain:
        return None
    said = (
        f"by {method_name(best)}, the predicted order of models that were trained on other halves of the documents "
        f"agrees with the real one to {plain[best]:.2f} (1: the same order, 0: chance), and to {without[best]:.2f} "
        "where the document that is asked about does not count."
    )
    if "ceiling" in plain and "ceiling" in without:
        said += (
            f" Nobody could reach more than {plain['ceiling']:.2f} and {without['ceiling']:.2f}, for chance decides "
        )
        said += "the rest of every training."
    others = [name for name in ("bm25", "gradient_dot") if name in plain and name in without and name != best]
    beside = "; ".join(f"{method_name(name)} {plain[name]:.2f} and {without[name]:.2f}" for name in others)
    return f"Trained again, {model}", said + (f" For comparison: {beside}." if beside else "")


def _stated(model: str, of: Figures) -> Fact | None:
    found = _values(of, "mrr")
    best = leader({name: value for name, value in found.items() if name.startswith("ekfac") and " / " not in name})
    if not best:
        return None
    said = f"by {method_name(best)}, the mean of 1 / place of the first document that states it is {found[best]:.2f} "
    said += "(1: always the first of all documents)"
    words = f", by words in common {found['bm25']:.2f}" if "bm25" in found else ""
    return f"Where an answer stands, {model}", f"{said}{words}."


def _planted(model: str, of: Figures) -> Fact | None:
    found = {name: value for name, value in _values(of, "planted@1").items() if name.startswith("ekfac")}
    best = leader(found)
    if not best:
        return None
    said = f"{method_name(best)} names the only document that states it first for {percent(found[best])} of the facts."
    return f"Facts invented for a training of their own, {model}", said


def _values(of: Figures, metric: str) -> dict[str, float]:
    return {each["Method"]: each["Value"] for each in of if each["Figure"] == metric and PART not in each["Method"]}


def _day(told: str) -> str:
    try:
        return f"{date.fromisoformat(told):%d %B %Y}"
    except ValueError:
        return told

"""Which estimator's numbers are shown, where a size has several: a switch, or a line that says it."""

from collections.abc import Mapping, Sequence

from dashboard.database.method_names import method_name
from dashboard.database.records import Run
from dashboard.drawing import render
from dashboard.widgets import controls


def choose_estimator(runs: Sequence[Run], shown: Run | None, best_method: str) -> None:
    """The switch of Explain; best_method: whose method evaluation found best for influence, or ''."""
    options = {}
    for run in runs:
        best = ", agrees best with retraining" if run.method == best_method else ""
        options[run.run_id] = f"Estimator: {method_name(run.method)}{best}"
    controls.one_of("run", options, quiet=True, shown=shown.run_id if shown else "")


def say_estimator(runs: Sequence[Run]) -> None:
    """For panels that read the first run, the one that agrees best with retraining."""
    if len(runs) > 1:
        others = " or ".join(method_name(run.method) for run in runs[1:])
        render.prose(("note", f"Estimator: {method_name(runs[0].method)}. Explain can also show {others}."))


def say_estimators(sizes: Mapping[str, Sequence[Run]]) -> None:
    """For panels that read the first run of several sizes, which may be of different methods.    sizes: by name"""
    by_method: dict[str, list[str]] = {}
    for name, runs in sizes.items():
        if runs:
            by_method.setdefault(runs[0].method, []).append(name)
    if len(by_method) > 1:
        said = "; ".join(f"{method_name(method)} for {' and '.join(of)}" for method, of in by_method.items())
        warned = "Where two sizes differ in it, part of what sets their documents apart is the estimator."
        render.prose(("note", f"Estimators: {said}. {warned}"))
    else:
        say_estimator(max(sizes.values(), key=len, default=[]))

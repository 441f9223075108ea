"""Which estimator's numbers are shown, where a size has several: a switch, or a line that says it."""

from collections.abc import Sequence

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
    """For panels that read the first run: sizes are compared by the estimator that all of them have."""
    if len(runs) > 1:
        others = " or ".join(method_name(run.method) for run in runs[1:])
        render.prose(("note", f"Estimator: {method_name(runs[0].method)}. Explain can also show {others}."))

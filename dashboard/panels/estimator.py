"""Which estimator's numbers are shown, where a size has several: a switch, or a line that says it."""

from collections.abc import Sequence

from dashboard import controls, render
from dashboard.explanation import Explanation
from dashboard.records import Run

NAMES = {  # of methods; others stand as they are stored
    "ekfac": "EK-FAC",
    "ekfac_checkpoints": "EK-FAC, mean over checkpoints",
    "tracin": "TracIn",
    "gradient_dot": "gradient product",
    "gradient_cosine": "gradient cosine",
    "hidden_cosine": "hidden-state cosine",
    "bm25": "BM25",
}


def name(run: Run) -> str:
    return NAMES.get(run.method, run.method)


def choose_estimator(found: Explanation) -> None:
    """The switch of Explain."""
    options = {}
    for run in found.runs:
        best = ", agrees best with retraining" if run.method == found.best_method else ""
        options[run.run_id] = f"Estimator: {name(run)}{best}"
    controls.one_of("run", options, quiet=True, shown=found.run.run_id if found.run else "")


def say_estimator(runs: Sequence[Run]) -> None:
    """For panels that read the first run: sizes are compared by the estimator that all of them have."""
    if len(runs) > 1:
        others = " or ".join(name(run) for run in runs[1:])
        render.prose(("note", f"Estimator: {name(runs[0])}. Explain can also show {others}."))

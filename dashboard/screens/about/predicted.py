"""What was predicted against what training again has measured: rows of bins in, plotly figure out. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.drawing.figure import blank, whiskers
from dashboard.drawing.numbers import counted, plain
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import in_chart, visible

PREDICTED, MEASURED = "predicted, nats a token", "measured, nats a token"
SYMBOLS = ("circle", "diamond-open", "square", "cross-open", "triangle-up")  # of methods; the colour is the size's

Bins = Sequence[Mapping[str, Any]]


def of_runs(bins: Bins, runs: Collection[tuple[str, str]]) -> Bins:
    """The bins of the estimators that were run, as (model, method); all where none of them was."""
    return [each for each in bins if (each["model"], each["method"]) in runs] or bins


def predicted_measured(bins: Bins, looks: Mapping[str, Look]) -> Chart:
    """A dot for each bin, with a whisker over the middle half of its pairs, and the line on which predictions hold.

    bins: rows with model, method, predicted, measured, low, high, n
    """
    curves: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in bins:
        curves.setdefault((each["model"], each["method"]), []).append(each)
    methods = list(dict.fromkeys(method for _, method in curves))
    several = len({model for model, _ in curves}) > 1
    figure = blank(340, hover="closest", x={"title": PREDICTED}, y={"title": MEASURED})
    ends = [min(each["predicted"] for each in bins), max(each["predicted"] for each in bins)]
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": MARKS.rest, "width": 1.5, "dash": "dash"},
        name="as predicted",
        hoverinfo="skip",
    )
    said, rows = [], []
    for (model, method), points in curves.items():
        name = method_name(method) + (f", {model}" if several else "")
        figure.add_scatter(
            x=[each["predicted"] for each in points],
            y=[each["measured"] for each in points],
            error_y=whiskers(points, "measured", "low", "high"),
            mode="markers",
            marker={
                "color": looks.get(model, UNKNOWN).colour,
                "symbol": SYMBOLS[methods.index(method) % len(SYMBOLS)],
                "size": 8,
            },
            name=in_chart(name, 44),
            text=[counted(each["n"], "pair") for each in points],
            hovertemplate="%{fullData.name}<br>predicted %{x:.3f}, measured %{y:.3f}, mean of %{text}<extra></extra>",
        )
        low, high = points[0], points[-1]
        said.append(
            f"{name} from {plain(low['measured'])} where {plain(low['predicted'])} was predicted "
            f"to {plain(high['measured'])} where {plain(high['predicted'])} was"
        )
        rows += [
            {"Model": model, "Method": method_name(method)}
            | {PREDICTED.capitalize(): each["predicted"], MEASURED.capitalize(): each["measured"]}
            | {"Lower quartile": each["low"], "Upper quartile": each["high"], "Pairs": each["n"]}
            for each in points
        ]
    return Chart(figure, visible(f"Measured change of log-probability, nats a token: {'; '.join(said)}."), rows)

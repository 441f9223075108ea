"""What an answer loses as documents are left out of a new training, method by method: rows of figures in, plotly figure
out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.drawing.figure import blank, whiskers
from dashboard.drawing.numbers import plain
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.visible import in_chart, visible

LOST = "drop@"  # and how many documents
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

Figures = Sequence[Mapping[str, Any]]


def is_curve(figures: Figures) -> bool:
    """Whether any method was measured for more than one number of documents."""
    return any(len(points) > 1 for points in _points(figures).values())


def removal_curve(figures: Figures, looks: Mapping[str, Look]) -> Chart:
    """Loss of log p against documents left out, both axes as they were measured; a line for each model and method, with
    a whisker from low to high. figures: rows with Model, Figure, Method, Value, Low, High."""
    curves = _points(figures)
    counts = sorted({n for points in curves.values() for n, _ in points})
    methods = list(dict.fromkeys(method for _, method in curves))
    several = len({model for model, _ in curves}) > 1
    figure = blank(
        320,
        hover="x unified",
        x={"title": "documents left out", "type": "log", "tickvals": counts, "ticktext": [f"{n:,}" for n in counts]},
        y={"title": "lost, nats a token", "rangemode": "tozero"},
    )
    said, rows = [], []
    for (model, method), points in curves.items():
        name = method_name(method) + (f", {model}" if several else "")
        look = looks.get(model, UNKNOWN)
        values = [each["Value"] for _, each in points]
        figure.add_scatter(
            x=[n for n, _ in points],
            y=values,
            error_y=whiskers([each for _, each in points], "Value", "Low", "High"),
            mode="lines+markers",
            line={"color": look.colour, "width": 2, "dash": DASHES[methods.index(method) % len(DASHES)]},
            marker={"color": look.colour, "symbol": look.symbol, "size": 7},
            name=in_chart(name, 44),
            hovertemplate="%{fullData.name}: %{y:.2f}<extra></extra>",
        )
        said.append(f"{name} " + ", ".join(f"{plain(each['Value'])} without {n:,}" for n, each in points))
        rows += [
            {
                "Model": model,
                "Method": method_name(method),
                "Documents left out": n,
                "Lost, nats a token": each["Value"],
            }
            | {"Low": each["Low"], "High": each["High"]}
            for n, each in points
        ]
    return Chart(figure, visible(f"What answers lose of their log-probability, nats a token: {'; '.join(said)}."), rows)


def _points(figures: Figures) -> dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]]:
    """(model, method) -> (documents left out, figure), fewest first."""
    found: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for each in figures:
        n = each["Figure"].removeprefix(LOST)
        if each["Figure"].startswith(LOST) and n.isdecimal() and int(n) > 0:
            found.setdefault((each["Model"], each["Method"]), []).append((int(n), each))
    return {of: sorted(points, key=lambda point: point[0]) for of, points in found.items()}

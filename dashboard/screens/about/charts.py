"""What each method is worth as dots with their intervals: rows of figures in, plotly figure out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.drawing.figure import blank, whiskers
from dashboard.drawing.numbers import plain
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.visible import in_chart, visible
from dashboard.screens.about.measured import MEASURES, PART, label_of

Figures = Sequence[Mapping[str, Any]]

APART = 0.5  # of the height of a row, over which the models of a method are spread


def of(figure: Mapping[str, Any]) -> str:
    """The key of a figure's model and method."""
    return f"{figure['Model']} {figure['Method']}"


def charted(figures: Figures) -> list[str]:
    """Measures that have an interval for at least one method that a build can store, in the order of MEASURES."""
    found = {each["Figure"] for each in figures if each["Low"] is not None and each["High"] is not None}
    return [metric for metric in MEASURES if any(_drawn(each, metric) for each in figures) and metric in found]


def method_dots(figures: Figures, metric: str, looks: Mapping[str, Look]) -> Chart:
    """One row for each method, best above; one dot for each model, with a whisker from low to high where both are
    stored. figures: rows with Model, Figure, Method, Value, Low, High. The key of a dot: `of` its figure."""
    label = label_of(metric)
    drawn = sorted((each for each in figures if _drawn(each, metric)), key=lambda each: -each["Value"])
    methods = list(dict.fromkeys(each["Method"] for each in drawn))  # by the best of any model
    models = list(dict.fromkeys(each["Model"] for each in figures))
    models = [model for model in models if any(each["Model"] == model for each in drawn)]
    figure = blank(
        max(26, 15 * len(models)) * len(methods) + 110,
        hover="closest",
        x={"title": label, "rangemode": "tozero", "zeroline": True},
        y={
            "tickvals": list(range(len(methods))),
            "ticktext": [in_chart(method_name(method), 44) for method in methods],
            "range": [len(methods) - 0.5, -0.5],
            "showgrid": True,
        },
    )
    for i, model in enumerate(models):
        shift = APART * ((i + 0.5) / len(models) - 0.5)
        look = looks.get(model, UNKNOWN)
        mine = [each for each in drawn if each["Model"] == model]
        figure.add_scatter(
            x=[each["Value"] for each in mine],
            y=[methods.index(each["Method"]) + shift for each in mine],
            error_x=whiskers(mine, "Value", "Low", "High"),
            mode="markers",
            marker={"color": look.colour, "symbol": look.symbol, "size": 9},
            name=in_chart(model),
            customdata=[
                [of(each), in_chart(said(each), 60), in_chart(method_name(each["Method"]), 60)] for each in mine
            ],
            hovertemplate="%{customdata[2]}, %{fullData.name}<br>%{customdata[1]}<extra></extra>",
        )
    words = f"{label} of each method, best first: "
    words += "; ".join(f"{method_name(each['Method'])}, {each['Model']}: {said(each)}" for each in drawn[:8])
    rows: list[dict[str, object]] = [
        {"Model": each["Model"], "Method": method_name(each["Method"])}
        | {label: each["Value"], "Low": each["Low"], "High": each["High"]}
        for each in drawn
    ]
    return Chart(figure, f"{visible(words)}.", rows)


def said(figure: Mapping[str, Any]) -> str:
    """0.412 (0.39 to 0.51)."""
    interval = figure["95 % interval"]
    return plain(figure["Value"]) + (f" ({interval})" if interval else "")


def _drawn(figure: Mapping[str, Any], metric: str) -> bool:
    return figure["Figure"] == metric and PART not in figure["Method"]

"""Charts with the number of parameters across: data in, plotly figure out. No reading, drawing or Streamlit here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from dashboard.drawing.figure import SHARE, blank
from dashboard.drawing.numbers import parameters, percent
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import in_chart, visible
from dashboard.screens.compare.charts.line import Looks
from dashboard.screens.compare.sizes.learning import SizeTrend

LEAST = 1e-6  # probabilities below are drawn at it
CHANCES = {1e-6: "10⁻⁶", 1e-5: "10⁻⁵", 1e-4: "10⁻⁴", 1e-3: "0.1 %", 0.01: "1 %", 0.1: "10 %", 1.0: "100 %"}
MARGIN = 0.15  # decades beyond the outermost tick or mark
RANKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
MEASURES = {"right": "right answers", "chance": "probability of the expected answer",
            "led": "first document says it"}  # fmt: skip
DASHES = {"right": "solid", "chance": "dash", "led": "dot"}


@dataclass(frozen=True)
class Point:
    """One size. value: None where it is not known; said: the same in words; key: of ours."""

    name: str
    n_params: int
    value: float | None
    said: str
    key: str


def chances(points: Sequence[Point], looks: Looks) -> Chart:
    """Probability of the expected answer by size, both axes logarithmic. The key of a point: its answer."""
    low = min((max(each.value, LEAST) for each in points if each.value is not None), default=LEAST)
    y = {"title": "probability", "type": "log", "tickvals": list(CHANCES), "ticktext": list(CHANCES.values())}
    figure = _figure(points, y | {"range": [math.floor(math.log10(low)) - MARGIN, MARGIN]})
    _draw(figure, points, looks, least=LEAST)
    return Chart(figure, _words("Probability of the expected answer by size", points), _rows(points, "Probability"))


def ranks(points: Sequence[Point], looks: Looks) -> Chart:
    """Rank of a document by size, the first above. The key of a point: its answer."""
    ticks = {"tickvals": list(RANKS), "ticktext": [f"{rank:,}" for rank in RANKS]}
    last = max([2.0, *(each.value for each in points if each.value is not None)])
    figure = _figure(points, {"title": "rank", "type": "log", "range": [math.log10(last) + MARGIN, -MARGIN]} | ticks)
    _draw(figure, points, looks)
    return Chart(figure, _words("Rank by size of the first document that says it", points), _rows(points, "Rank"))


def trend(found: Sequence[SizeTrend], looks: Looks) -> Chart:
    """Shares over all prompts by size, a line for each of `MEASURES`, the marks in the colours of the sizes."""
    points = [Point(each.name, each.n_params, each.right, "", each.name) for each in found]
    figure = _figure(points, {"title": "share", "tickformat": SHARE, "range": [-0.03, 1.05], "nticks": 6})
    rows: list[dict[str, object]] = []
    for name, label in MEASURES.items():
        known = [(each, getattr(each, name)) for each in found if getattr(each, name) is not None]
        if not known:
            continue
        figure.add_scatter(
            x=[each.n_params for each, _ in known],
            y=[value for _, value in known],
            mode="lines+markers",
            name=label,
            line={"color": MARKS.rest, "width": 2, "dash": DASHES[name]},
            marker={
                "color": [looks.get(each.name, UNKNOWN).colour for each, _ in known],
                "symbol": [looks.get(each.name, UNKNOWN).symbol for each, _ in known],
                "size": 10,
            },
            customdata=[[f"{name} {each.name}", percent(value), in_chart(each.name)] for each, value in known],
            hovertemplate="%{customdata[2]}, %{fullData.name}: %{customdata[1]}<extra></extra>",
        )
        rows += [{"Size": each.name, "What": label, "Share": value, "Prompts": each.n_chance if name == "chance"
                  else each.n_prompts} for each, value in known]  # fmt: skip
    said = "; ".join(f"{row['Size']}, {row['What']}: {percent(row['Share'])}" for row in rows)  # type: ignore[arg-type]
    return Chart(figure, visible(f"Shares over all prompts by size. {said}."), rows)


def _figure(points: Sequence[Point], y: Mapping[str, Any]) -> go.Figure:
    """Sizes of one number of parameters stand in one place of the axis, under the names of both."""
    names: dict[int, list[str]] = {}
    for each in points:
        names.setdefault(each.n_params, []).append(each.name)
    ticks = [f"{in_chart(', '.join(of), 24)}<br>{parameters(n)}" for n, of in names.items()]
    x = {"type": "log", "tickvals": list(names), "ticktext": ticks, "title": "parameters"}
    return blank(280, hover="closest", x=x, y=dict(y))


def _draw(figure: go.Figure, points: Sequence[Point], looks: Looks, least: float = 0.0) -> None:
    """A grey line through the marks of the sizes."""
    known = [each for each in points if each.value is not None]
    looked = [looks.get(each.name, UNKNOWN) for each in known]
    figure.add_scatter(
        x=[each.n_params for each in known],
        y=[max(each.value or 0.0, least) for each in known],
        mode="lines+markers",
        line={"color": MARKS.rest, "width": 1.5, "dash": "dot"},
        marker={"color": [look.colour for look in looked], "symbol": [look.symbol for look in looked], "size": 11},
        customdata=[[each.key, each.said, in_chart(each.name)] for each in known],
        hovertemplate="%{customdata[2]}: %{customdata[1]}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(margin={"t": 12})


def _words(what: str, points: Sequence[Point]) -> str:
    return visible(f"{what}. {'; '.join(f'{each.name}: {each.said}' for each in points)}.")


def _rows(points: Sequence[Point], name: str) -> list[dict[str, object]]:
    return [
        {"Size": each.name, "Parameters": each.n_params, name: each.value, "In words": each.said} for each in points
    ]

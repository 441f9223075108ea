"""What every plotly figure of ours begins with: its frame, its axes, its hover, and what its tool bar may do; whiskers.

Text and lines of the frame are coloured by the style sheet of the page (theme.chart_style), which follows the theme as
it is switched; a figure names colours of marks only, and these are legible in both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

CONFIG = {  # of the tool bar: save as a picture, axes as they were. Nothing that leaves this server
    "displaylogo": False,
    "showSendToCloud": False,
    "showEditInChartStudio": False,
    "plotlyServerURL": "",
    "modeBarButtons": [["toImage", "resetScale2d"]],
    "doubleClick": "reset",
    "scrollZoom": False,
}
SHARE = "~%"  # d3's format of a share on an axis: as many digits as tell its ticks apart


def blank(height: int, *, hover: str, x: dict[str, Any], y: dict[str, Any]) -> go.Figure:
    """An empty figure of `height` points; hover: plotly's hovermode; x, y: its axes."""
    spikes = hover.endswith("unified")
    plain = {"automargin": True, "zeroline": False, "ticks": "", "showline": False, "showspikes": spikes}
    figure = go.Figure()
    figure.update_layout(
        height=height,
        hovermode=hover,
        dragmode="pan",
        margin={"l": 8, "r": 12, "t": 44, "b": 40},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0, "title": None},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},
        hoverlabel={"align": "left", "namelength": -1},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=True,
        xaxis=plain | x,
        yaxis=plain | y,
    )
    return figure


def whiskers(rows: Sequence[Mapping[str, Any]], value: str, low: str, high: str) -> dict[str, Any]:
    """plotly's error bars around a value of each row, to its low and its high; none towards an end that is not known.

    value, low, high: names of columns
    """
    return {
        "type": "data",
        "symmetric": False,
        "array": [_length(each[value], each[high]) for each in rows],
        "arrayminus": [_length(each[low], each[value]) for each in rows],
        "thickness": 1.5,
        "width": 4,
    }


def _length(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else max(0.0, high - low)

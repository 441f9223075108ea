"""How a size is drawn in every chart of Compare, and what is said of the highest of its values."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.drawing.numbers import percent
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.drawing.visible import in_chart

Looks = Mapping[str, Look]
Rows = Sequence[Mapping[str, Any]]

SAID = "%{fullData.name}: %{customdata[1]}<extra></extra>"


def size_line(name: str, looks: Looks, dash: str = "solid") -> dict[str, Any]:
    """A line with marks in the look of its size."""
    look = looks.get(name, UNKNOWN)
    return {
        "name": in_chart(name),
        "mode": "lines+markers",
        "line": {"color": look.colour, "width": 2, "dash": dash},
        "marker": {"color": look.colour, "symbol": look.symbol, "size": 7},
        "hovertemplate": SAID,
    }


def highest(rows: Rows, where: str) -> str:
    """One sentence for each size: where its share is highest."""
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["Size"] not in best or row["Share of influence"] > best[row["Size"]]["Share of influence"]:
            best[row["Size"]] = row
    return " ".join(
        f"{name}: most in {row[where]}, {percent(row['Share of influence'])}." for name, row in best.items()
    )

"""Charts of sizes over all prompts: data in, plotly figure out. Nothing here reads, draws or knows Streamlit.

Every chart says what it shows in words, has its unit on its axis, and hands out its numbers as rows. `looks` gives a
size its colour and its mark; they are the same in every chart.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.database.method_names import method_name
from dashboard.database.topic_name import topic_name
from dashboard.drawing.figure import SHARE, blank
from dashboard.drawing.numbers import counted, percent
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import in_chart
from dashboard.screens.compare.charts.line import SAID, Looks, Rows, highest, size_line


def concentration(rows: Rows, looks: Looks) -> Chart:
    """Mean share of influence by rank, log-log, one line per size: a straight line is a power law. The key: a rank."""
    figure = blank(
        360,
        hover="x unified",
        x={"title": "rank", "type": "log", "tickvals": [1, 2, 5, 10, 20], "range": [-0.05, 1.36]},
        y={
            "title": "mean share",
            "type": "log",
            "tickformat": "~%",
            "tickvals": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
        },
    )
    figure.update_xaxes(unifiedhovertitle={"text": "rank %{x}"})
    for name, of in _by_size(rows).items():
        drawn = [row for row in of if row["share"] > 0]  # a logarithm has no place for 0
        figure.add_scatter(
            x=[row["rank"] for row in drawn],
            y=[row["share"] for row in drawn],
            customdata=[[str(row["rank"]), percent(row["share"])] for row in drawn],
            **size_line(name, looks),
        )
    words = "Mean share of influence by rank for each size, both axes logarithmic. "
    words += " ".join(
        f"{name}: {percent(of[0]['share'])} at rank {of[0]['rank']}." for name, of in _by_size(rows).items()
    )
    shown = [{"Size": row["name"], "Rank": row["rank"], "Mean share": row["share"]} for row in rows]
    return Chart(figure, words, shown)


def overlaps(rows: Rows) -> Chart:
    """Mean overlap at 10 of two sizes against how many times larger the larger one is, one point per pair. The key of
    a point: the place of its row."""
    ratios = [row["ratio"] for row in rows]
    figure = blank(
        280,
        hover="closest",
        x={"title": "times larger", "type": "log", "nticks": 5, "minor": {"ticks": ""}},
        y={"title": "overlap at 10", "tickformat": SHARE, "range": [-0.04, 1.04], "nticks": 6},
    )
    if len(set(ratios)) == 1:  # one pair: an axis around it
        figure.update_xaxes(tickvals=[ratios[0]], ticktext=[f"{ratios[0]:.3g}"])
    else:
        figure.update_xaxes(tickvals=sorted(set(ratios)), ticktext=[f"{ratio:.3g}" for ratio in sorted(set(ratios))])
    pairs = [f"{row['small']} and {row['large']}" for row in rows]
    figure.add_scatter(
        x=ratios,
        y=[row["overlap"] for row in rows],
        mode="markers",
        marker={"color": MARKS.strength, "size": 11},
        customdata=[
            [str(i), percent(row["overlap"]), in_chart(pair, 60), counted(row["n_prompts"], "prompt")]
            for i, (row, pair) in enumerate(zip(rows, pairs, strict=True))
        ],
        hovertemplate="%{customdata[2]}<br>%{customdata[1]} over %{customdata[3]}<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(margin={"t": 12})
    said = "; ".join(f"{pair} {percent(row['overlap'])}" for pair, row in zip(pairs, rows, strict=True))
    shown = [
        {
            "Smaller": row["small"],
            "Larger": row["large"],
            "Prompts": row["n_prompts"],
            "Estimator": method_name(row["method"]),
            "Mean overlap at 10": row["overlap"],
        }
        for row in rows
    ]
    return Chart(figure, f"Mean overlap of the ten most helpful documents by ratio of sizes: {said}.", shown)


def group_shares(rows: Rows, looks: Looks, column: str, most: int = 8) -> Chart:
    """Share of influence by group of the documents (a topic, a source), one bar per size; the groups with the largest
    share of any size. rows: name (of the size), value, share. The key of a bar: its value."""
    of_size = _by_size(rows)
    largest: dict[str, float] = {}
    for row in rows:
        largest[row["value"]] = max(row["share"], largest.get(row["value"], 0.0))
    values = sorted(largest, key=lambda value: -largest[value])[:most]
    labels = [in_chart(topic_name(str(value)), 26) or f"no {in_chart(column)}" for value in values]
    figure = blank(
        max(16 * len(of_size), 26) * len(values) + 110,
        hover="y unified",
        x={"title": "share of influence", "tickformat": SHARE, "nticks": 5, "rangemode": "tozero"},
        y={
            "tickvals": list(range(len(values))),
            "ticktext": labels,
            "range": [len(values) - 0.5, -0.5],
            "showgrid": False,
        },
    )
    for name, of in of_size.items():
        found = {row["value"]: row["share"] for row in of}
        there = [i for i, value in enumerate(values) if value in found]
        figure.add_bar(
            orientation="h",
            x=[found[values[i]] for i in there],
            y=there,
            customdata=[[str(values[i]), percent(found[values[i]])] for i in there],
            name=in_chart(name),
            marker={"color": looks.get(name, UNKNOWN).colour},
            hovertemplate=SAID,
        )
    figure.update_layout(barmode="group", bargap=0.25, bargroupgap=0.08)
    named = column.capitalize()
    shown = [{"Size": r["name"], named: r["value"] or f"no {column}", "Share of influence": r["share"]} for r in rows]
    words = f"Share of influence by {column} of the document, for each size. {highest(shown, named)}"
    return Chart(figure, words, shown)


def _by_size(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found

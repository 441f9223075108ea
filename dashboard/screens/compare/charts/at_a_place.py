"""Charts of what is behind one word in every size: data in, plotly figure out. No Streamlit here."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.database.layer_groups import LABELS
from dashboard.drawing.figure import SHARE, blank
from dashboard.drawing.numbers import percent
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import UNKNOWN
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import in_chart, one_line, visible
from dashboard.screens.compare.charts.line import Looks, highest, size_line
from dashboard.screens.compare.sizes.comparison import Size

DASHES = {"mlp": "solid", "attention": "dash"}
UNKEPT = -0.09  # where a share that is not known stands, as a part of the axis
CELL, TALL = 16, 230  # points: a row of the heatmap, and the most that one size takes
LEAST_COLUMNS = 6  # of it: a short answer does not fill the page


def depth_profiles(sizes: Sequence[Size], looks: Looks) -> Chart:
    """Share of influence by relative depth, one line per size, attention and MLP apart; without the embedding, whose
    share would press the lines to the ground. The key of a point: generation and layer group."""
    figure = blank(
        360,
        hover="closest",  # sizes have layers at depths of their own, and a click means one of them
        x={"title": "depth", "tickformat": SHARE, "tickvals": [0, 0.25, 0.5, 0.75, 1], "range": [-0.03, 1.03]},
        y={"title": "share of influence", "tickformat": SHARE, "nticks": 6, "rangemode": "tozero"},
    )
    rows: list[dict[str, object]] = []
    for size in (size for size in sizes if size.shares):
        n_blocks = max((group.depth for group in size.groups if group.kind != "embedding"), default=0) + 1
        of_kind: dict[str, list[tuple[float, float, str]]] = {}
        for group, share in zip(size.groups, size.shares, strict=True):
            if group.kind == "embedding":
                continue
            depth = group.depth / max(n_blocks - 1, 1)
            of_kind.setdefault(group.kind, []).append((depth, share, group.key))
            rows.append({"Size": size.name, "Layer": group.label, "Depth": depth, "Share of influence": share})
        for kind, points in of_kind.items():
            line = size_line(size.name, looks, dash=DASHES.get(kind, "dot"))
            line["name"] += f", {LABELS.get(kind, in_chart(kind))}"
            line["hovertemplate"] = "%{fullData.name}, depth %{x}<br>%{customdata[1]}<extra></extra>"
            figure.add_scatter(
                x=[depth for depth, _, _ in points],
                y=[share for _, share, _ in points],
                customdata=[[f"{size.generation.generation_id} {key}", percent(share)] for _, share, key in points],
                **line,
            )
    names = ", ".join(size.name for size in sizes if size.shares)
    return Chart(figure, f"Share of influence by depth of the layer, for {names}. {highest(rows, 'Layer')}", rows)


def shares(small: Size, larger: Sequence[Size], titles: Mapping[str, str], looks: Looks) -> Chart:
    """A document's share of what the ten carry, in the smallest size against each larger one; every document that is
    among the ten of either. Below zero stands what was not kept in one of the two: unknown, not zero. The key of a
    point: its document."""
    top = max((each.score / size.carried for size in (small, *larger) for each in size.top), default=1.0)
    unknown = UNKEPT * top
    marked = [tick for tick in np.linspace(0, 1, 21).tolist() if tick <= 1.05 * top]
    marked = marked[:: max(1, len(marked) // 5)]
    axis = {
        "range": [1.8 * unknown, 1.08 * top],
        "tickvals": [unknown, *marked],
        "ticktext": ["not kept", *(f"{100 * tick:.0f}%" for tick in marked)],
    }
    figure = blank(
        360,
        hover="closest",
        x=axis | {"title": f"share in {in_chart(small.name)}"},
        y=axis | {"title": "share in the larger size"},
    )
    figure.add_scatter(
        x=[0, 1.08 * top],
        y=[0, 1.08 * top],
        mode="lines",
        line={"color": MARKS.rest, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    rows: list[dict[str, object]] = []
    of_small = {each.document_id: each.score / small.carried for each in small.ranked}
    for size in larger:
        of_large = {each.document_id: each.score / size.carried for each in size.ranked}
        ids = dict.fromkeys(each.document_id for each in (*small.top, *size.top))
        points = [(each, of_small.get(each), of_large.get(each)) for each in ids]
        look = looks.get(size.name, UNKNOWN)
        figure.add_scatter(
            x=[unknown if x is None else x for _, x, _ in points],
            y=[unknown if y is None else y for _, _, y in points],
            mode="markers",
            name=in_chart(size.name),
            marker={"color": look.colour, "symbol": look.symbol, "size": 9, "opacity": 0.85},
            customdata=[
                [each, _said(x), in_chart(titles.get(each, "")), _said(y), in_chart(small.name)]
                for each, x, y in points
            ],
            hovertemplate="%{customdata[2]}<br>%{customdata[4]} %{customdata[1]}, %{fullData.name} %{customdata[3]}"
            "<extra></extra>",
        )
        rows += [
            {"Document": titles.get(each, ""), "Larger size": size.name, small.name: x, "Share in the larger size": y}
            for each, x, y in points
        ]
    both = sum(row[small.name] is not None and row["Share in the larger size"] is not None for row in rows)
    words = f"Share of each document in {small.name} against its share in larger sizes: {len(rows)} points, {both} of "
    return Chart(
        figure, visible(f"{words}documents that both kept. The dotted line is where both shares are equal."), rows
    )


def _said(share: float | None) -> str:
    return "not kept" if share is None else percent(share)


def distribution(sizes: Sequence[Size], titles: Mapping[str, str], looks: Looks) -> Chart:
    """Every kept document of each size, and behind them the random ones, in percent of the size's strongest document.
    The key of a point: its document, '' for a random one."""
    drawn = [size for size in sizes if size.ranked]
    figure = blank(
        110 + 70 * len(drawn),
        hover="closest",
        x={
            "title": "influence, percent of the size's strongest document",
            "ticksuffix": "%",
            "nticks": 7,
            "zeroline": True,
        },
        y={
            "tickvals": list(range(len(drawn))),
            "ticktext": [in_chart(size.name, 24) for size in drawn],
            "range": [len(drawn) - 0.5, -0.5],
            "showgrid": False,
        },
    )
    rows: list[dict[str, object]] = []
    told = []
    for i, size in enumerate(drawn):
        look = looks.get(size.name, UNKNOWN)
        strongest = max(abs(each.score) for each in size.ranked) or 1.0
        random = (100 * size.null_scores[np.isfinite(size.null_scores)] / strongest).tolist()
        kept = [100 * each.score / strongest for each in size.ranked]
        figure.add_scatter(
            x=random,
            y=[i + 0.17] * len(random),
            mode="markers",
            name="random documents",
            legendgroup="random",
            showlegend=bool(random) and not any(each.null_scores.size for each in drawn[:i]),
            marker={"color": MARKS.rest, "symbol": "line-ns-open", "size": 13, "opacity": 0.7},
            customdata=[["", f"{value:.1f} %"] for value in random],
            hovertemplate="a random document<br>%{customdata[1]}<extra></extra>",
        )
        figure.add_scatter(
            x=kept,
            y=[i - 0.13] * len(kept),
            mode="markers",
            name=in_chart(size.name),
            marker={"color": look.colour, "symbol": look.symbol, "size": 8, "opacity": 0.75},
            customdata=[
                [each.document_id, f"{value:.1f} %", in_chart(titles.get(each.document_id, ""))]
                for each, value in zip(size.ranked, kept, strict=True)
            ],
            hovertemplate="%{customdata[2]}<br>%{customdata[1]}<extra></extra>",
        )
        rows += [
            {"Size": size.name, "Document": titles.get(each.document_id, ""), "Percent of the strongest": value}
            for each, value in zip(size.ranked, kept, strict=True)
        ]
        rows += [{"Size": size.name, "Document": "a random one", "Percent of the strongest": value} for value in random]
        highest_random = f"random ones up to {max(random):.1f} %" if random else "no random documents"
        told.append(f"{size.name}: {len(kept)} kept documents, {highest_random}")
    return Chart(figure, visible(f"Influence of kept and of random documents by size. {'; '.join(told)}."), rows)


def depth_heat(
    sizes: Sequence[tuple[Size, Sequence[str], NDArray[np.float64]]], looks: Looks, chosen: int
) -> tuple[Chart, float]:
    """One map a size, each in the size's colour: its words across, its blocks from the first below. chosen: the column
    that is compared. With it the share at full colour, the same in all.

    sizes: with what stands in the columns and shares [blocks, columns] of the ten documents' influence
    """
    top = max((float(np.nanmax(found)) for _, _, found in sizes if np.isfinite(found).any()), default=0.0) or 1.0
    heights = [min(CELL * len(found), TALL) for _, _, found in sizes]
    figure = make_subplots(
        rows=len(sizes),
        cols=1,
        row_heights=heights,
        vertical_spacing=min(0.5, 46 / (sum(heights) + 46 * len(sizes))) if len(sizes) > 1 else 0,
    )
    frame = blank(sum(heights) + 50 * len(sizes) + 20, hover="closest", x={}, y={})
    figure.update_layout({k: v for k, v in frame.layout.to_plotly_json().items() if k not in ("xaxis", "yaxis")})
    figure.update_layout(margin={"t": 8, "b": 36, "l": 8, "r": 12}, showlegend=False)
    width = max(LEAST_COLUMNS, *(found.shape[1] for _, _, found in sizes))
    rows: list[dict[str, object]] = []
    told = []
    for i, (size, texts, found) in enumerate(sizes, start=1):
        colour = looks.get(size.name, UNKNOWN).colour
        n_blocks, n_columns = found.shape
        labels = [in_chart(one_line(each), 14) for each in texts]
        said = [
            [f"{in_chart(size.name)}: {labels[j]}, block {b}, {percent(float(found[b, j]))}" for j in range(n_columns)]
            for b in range(n_blocks)
        ]
        figure.add_heatmap(
            z=found.tolist(),
            zmin=0,
            zmax=top,
            colorscale=[[0, _clear(colour, 0.04)], [1, colour]],
            showscale=False,
            xgap=2,
            ygap=2,
            text=said,
            hovertemplate="%{text}<extra></extra>",
            row=i,
            col=1,
        )
        plain = {"automargin": True, "showgrid": False, "zeroline": False, "ticks": ""}
        words = {"tickvals": list(range(n_columns)), "ticktext": labels, "range": [-0.5, width - 0.5]}
        figure.update_xaxes(plain | words, row=i, col=1)
        step = max(1, n_blocks // 4)
        blocks = list(range(0, n_blocks, step))
        names = plain | {"tickvals": blocks, "ticktext": [f"block {b}" for b in blocks]}
        figure.update_yaxes(names | {"title": in_chart(size.name, 20)}, row=i, col=1)
        if chosen < n_columns:
            left, right, low, high = chosen - 0.5, chosen + 0.5, -0.5, n_blocks - 0.5
            figure.add_scatter(
                x=[left, right, right, left, left],
                y=[low, low, high, high, low],
                mode="lines",
                line={"color": colour, "width": 2},
                hoverinfo="skip",
                row=i,
                col=1,
            )
        rows += [
            {"Size": size.name, "Word": texts[j], "Block": b, "Share of influence": float(found[b, j])}
            for j in range(n_columns)
            for b in range(n_blocks)
            if np.isfinite(found[b, j])
        ]
        if chosen < n_columns and np.isfinite(found[:, chosen]).any():
            best = int(np.nanargmax(found[:, chosen]))
            told.append(f"{size.name}: most in block {best}, {percent(float(found[best, chosen]))}")
    said_of = f"Share of influence by word and block, a map for each size. {'; '.join(told)}."
    return Chart(figure, visible(said_of), rows), top


def _clear(colour: str, opacity: float) -> str:
    """A colour of ours, `#rrggbb`, that lets the page through."""
    parts = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return f"rgba({parts}, {opacity})"

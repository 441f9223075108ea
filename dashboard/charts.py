"""Charts: data in, Altair chart out. Nothing here reads, draws or knows Streamlit.

Every chart has a description for those who do not see it and a unit on its axis. Its marks have colours that stand
out on the light page and on the dark one (theme.MARKS), so a chart does not need to know which is shown.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.comparison import Size
from dashboard.figures import decimals, plain, signed
from dashboard.layer_groups import LABELS, LayerGroup
from dashboard.prompt_parts import PartSum
from dashboard.theme import MARKS
from dashboard.visible import visible

KINDS = alt.Legend(orient="top", symbolFillColor=MARKS.rest, symbolStrokeColor=MARKS.rest)


def layer_profile(groups: Sequence[LayerGroup], amounts: NDArray[np.float64], chosen: str = "") -> alt.Chart:
    """Influence by layer group, nats: one bar each, in the order of depth; they add up to the total."""
    places = decimals(amounts)
    frame = pd.DataFrame(
        {
            "layer": [group.key for group in groups],
            "name": [group.label for group in groups],
            "amount": amounts,
            "said": [f"{signed(amount, places)} nats" for amount in amounts],
            "opacity": [1.0 if chosen in ("", group.key) else 0.35 for group in groups],
        }
    )
    pick = alt.selection_point(name="layer", fields=["layer"], toggle=False)
    axis = alt.Axis(labelLimit=140, labelOverlap=False, ticks=False, domain=False)
    chart: alt.Chart = (
        alt.Chart(frame, description=_layer_words(frame), height=24 * len(groups) + 72)
        .mark_bar(cornerRadius=2, cursor="pointer", height=13)
        .encode(
            y=alt.Y("name:N", sort=frame["name"].tolist(), title=None, axis=axis),
            x=alt.X("amount:Q", title="nats", axis=alt.Axis(tickCount=4, format="~g")),
            color=alt.condition("datum.amount >= 0", alt.value(MARKS.warm), alt.value(MARKS.cool)),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=[alt.Tooltip("name:N", title="Layer"), alt.Tooltip("said:N", title="Influence")],
        )
        .add_params(pick)
    )
    return chart


def memory_bar(nothing: float, question: float, documents: float, full: float) -> alt.Chart:
    """Bits of a token: what the question and the documents of the prompt saved, and what is still missing."""
    parts = [("Question", question), ("Documents", documents), ("Still surprising", full)]
    rows, at = [], 0.0
    for name, bits in parts:
        rows.append({"part": name, "from": at, "to": at + bits, "said": f"{bits:.2f} bits"})
        at += bits
    fills = [MARKS.strength, MARKS.second, MARKS.rest]
    words = "; ".join(f"{row['part']}: {row['said']}" for row in rows)
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows), description=f"{plain(nothing)} bits without the prompt. {words}.", height=150)
        .mark_bar(height=22, cornerRadius=2)
        .encode(
            x=alt.X("from:Q", title="bits", axis=alt.Axis(tickCount=5)),
            x2="to:Q",
            color=alt.Color(
                "part:N",
                sort=[name for name, _ in parts],
                scale=alt.Scale(domain=[name for name, _ in parts], range=fills),
                legend=alt.Legend(orient="top", title=None, symbolType="square"),
            ),
            tooltip=[alt.Tooltip("part:N", title="Part"), alt.Tooltip("said:N", title="Amount")],
        )
    )
    return chart


def part_bars(sums: Sequence[PartSum], chosen: int | None) -> alt.Chart:
    """Saliency by part of the prompt, as shares of the largest: one bar each, in the order of the prompt."""
    top = max((abs(each.amount) for each in sums), default=0.0) or 1.0
    names = [f"{i + 1}. {visible(each.name)[:40]}" for i, each in enumerate(sums)]
    frame = pd.DataFrame(
        {
            "part": [each.part for each in sums],
            "name": names,
            "amount": [each.amount / top for each in sums],
            "said": [signed(each.amount / top, 2) for each in sums],
            "opacity": [1.0 if chosen in (None, each.part) else 0.35 for each in sums],
        }
    )
    words = "Saliency by part of the prompt, relative to the largest: "
    words += "; ".join(f"{name} {said}" for name, said in zip(names, frame["said"], strict=True))
    pick = alt.selection_point(name="part", fields=["part"], toggle=False)
    axis = alt.Axis(labelLimit=170, labelOverlap=False, ticks=False, domain=False)
    chart: alt.Chart = (
        alt.Chart(frame, description=f"{words}.", height=24 * len(sums) + 72)
        .mark_bar(cornerRadius=2, cursor="pointer", height=13)
        .encode(
            y=alt.Y("name:N", sort=names, title=None, axis=axis),
            x=alt.X("amount:Q", title="saliency, largest part = 1", axis=alt.Axis(tickCount=4, format="~g")),
            color=alt.condition("datum.amount >= 0", alt.value(MARKS.warm), alt.value(MARKS.cool)),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
            tooltip=[alt.Tooltip("name:N", title="Part"), alt.Tooltip("said:N", title="Saliency")],
        )
        .add_params(pick)
    )
    return chart


def _layer_words(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "No layer scores."
    strongest = frame.loc[frame["amount"].abs().idxmax()]
    return f"Influence by layer, {len(frame)} bars; the largest is {strongest['name']} with {strongest['said']}."


def depth_profiles(sizes: Sequence[Size]) -> alt.Chart:
    """Share of influence by relative depth, one line per size, attention and MLP apart; the embedding as a point."""
    rows = []
    for size in sizes:
        n_blocks = max((group.depth for group in size.groups if group.kind != "embedding"), default=0) + 1
        for group, share in zip(size.groups, size.shares, strict=bool(size.shares)):
            depth = 0.0 if group.kind == "embedding" else group.depth / max(n_blocks - 1, 1)
            rows.append({"size": size.name, "kind": LABELS.get(group.kind, group.kind), "depth": depth, "share": share})
    frame = pd.DataFrame(rows)
    names = [size.name for size in sizes]
    words = "Share of influence by depth of the layer, for " + ", ".join(names) + "."
    chart: alt.Chart = (
        alt.Chart(frame, description=words, height=330)
        .mark_line(point=alt.OverlayMarkDef(size=45), strokeWidth=2)
        .encode(
            x=alt.X("depth:Q", title="depth", axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])),
            y=alt.Y("share:Q", title="share of influence", axis=alt.Axis(format=".0%", tickCount=5)),
            color=_size_colour("size", names),
            strokeDash=alt.StrokeDash("kind:N", title=None, sort=["MLP", "Attention", "Embedding"], legend=KINDS),
            shape=alt.Shape("kind:N", title=None, sort=["MLP", "Attention", "Embedding"], legend=KINDS),
            tooltip=["size:N", "kind:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return chart


def concentration(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    """Mean share of influence by rank, log-log, one line per size: a straight line is a power law."""
    frame = pd.DataFrame(rows)
    names = list(dict.fromkeys(frame["name"]))
    chart: alt.Chart = (
        alt.Chart(frame, description="Share of influence by rank for each size, both axes logarithmic.", height=340)
        .mark_line(point=alt.OverlayMarkDef(size=30), strokeWidth=2)
        .encode(
            x=alt.X("rank:Q", title="rank", scale=alt.Scale(type="log"), axis=alt.Axis(values=[1, 2, 5, 10, 20])),
            y=alt.Y(
                "share:Q", title="mean share", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0%", tickCount=4)
            ),
            color=_size_colour("name", names),
            tooltip=["name:N", "rank:Q", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return chart


def overlaps(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    """Mean overlap at 10 of two sizes against how many times larger the larger one is, one point per pair."""
    frame = pd.DataFrame(rows)
    frame["pair"] = [visible(f"{row['small']} and {row['large']}")[:60] for row in rows]
    words = "Mean overlap of the ten most helpful documents by ratio of sizes: "
    words += "; ".join(
        f"{pair} {100 * value:.1f} %" for pair, value in zip(frame["pair"], frame["overlap"], strict=True)
    )
    chart: alt.Chart = (
        alt.Chart(frame, description=f"{words}.", height=240)
        .mark_point(size=90, filled=True, opacity=1, color=MARKS.strength)
        .encode(
            x=alt.X(
                "ratio:Q",
                title="times larger",
                scale=alt.Scale(type="log", nice=False, padding=20),
                axis=alt.Axis(tickCount=4),
            ),
            y=alt.Y(
                "overlap:Q",
                title="overlap at 10",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%", tickCount=5),
            ),
            tooltip=["pair:N", alt.Tooltip("overlap:Q", format=".1%"), alt.Tooltip("n_prompts:Q", title="prompts")],
        )
    )
    return chart


def topic_shares(rows: Sequence[Mapping[str, object]], most: int = 8) -> alt.Chart:
    """Share of influence by topic of the document, one bar per size; the topics with the largest share of any size."""
    frame = pd.DataFrame(rows)
    frame["topic"] = [visible(str(topic))[:40] or "no topic" for topic in frame["topic"]]
    names = list(dict.fromkeys(frame["name"]))
    topics = frame.groupby("topic")["share"].max().nlargest(most).index.tolist()
    chart: alt.Chart = (
        alt.Chart(
            frame[frame["topic"].isin(topics)],
            description="Share of influence by topic for each size.",
            height=max(14 * len(names), 24) * len(topics) + 130,
        )
        .mark_bar(cornerRadius=2)
        .encode(
            y=alt.Y(
                "topic:N",
                sort=topics,
                title=None,
                axis=alt.Axis(labelLimit=150, labelOverlap=False, ticks=False, domain=False),
            ),
            yOffset=alt.YOffset("name:N", sort=names),
            x=alt.X("share:Q", title="share of influence", axis=alt.Axis(format=".0%", tickCount=4)),
            color=_size_colour("name", names),
            tooltip=["name:N", "topic:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return chart


def _size_colour(field: str, names: Sequence[str]) -> alt.Color:
    """One colour per size, smallest first; more sizes than colours begin again."""
    fills = [MARKS.rest, MARKS.second, MARKS.strength, MARKS.cool, MARKS.warm]
    scale = alt.Scale(domain=list(names), range=[fills[i % len(fills)] for i in range(len(names))])
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None, orient="top"))

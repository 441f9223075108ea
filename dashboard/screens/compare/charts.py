"""Charts: data in, Altair chart out. Nothing here reads, draws or knows Streamlit.

Every chart has a description for those who do not see it and a unit on its axis. Its marks have colours that stand
out on the light page and on the dark one (theme.MARKS), so a chart does not need to know which is shown.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.database.layer_groups import LABELS
from dashboard.drawing.theme import MARKS
from dashboard.drawing.visible import visible
from dashboard.screens.compare.comparison import Size


def depth_profiles(sizes: Sequence[Size]) -> alt.Chart:
    """Share of influence by relative depth, one line per size, attention and MLP apart; without the embedding, whose
    share would press the lines to the ground."""
    rows = []
    for size in sizes:
        n_blocks = max((group.depth for group in size.groups if group.kind != "embedding"), default=0) + 1
        for group, share in zip(size.groups, size.shares, strict=bool(size.shares)):
            if group.kind == "embedding":
                continue
            depth = group.depth / max(n_blocks - 1, 1)
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
            strokeDash=alt.StrokeDash("kind:N", sort=["MLP", "Attention"], legend=None),  # said above the chart
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
            x=alt.X(
                "rank:Q", title="rank", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(values=[1, 2, 5, 10, 20])
            ),
            y=alt.Y(
                "share:Q",
                title="mean share",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="~%", values=[0.001, 0.01, 0.1, 1]),
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
    return alt.Color(
        f"{field}:N", scale=scale, legend=alt.Legend(title=None, orient="top", columns=2 if len(names) > 3 else 3)
    )

"""What changes with size over all prompts of the database: concentration, topics, overlap."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.address.selection import UNFILTERED, Selection
from dashboard.database.group_records import Group
from dashboard.database.queries import answers, groups, sizes
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.size_look import size_looks
from dashboard.screens.compare.charts import over_prompts, over_sizes
from dashboard.screens.compare.charts.line import Looks
from dashboard.screens.compare.sizes.learning import SizeTrend
from dashboard.screens.compare.sizes.learning import trends as trends_of
from dashboard.widgets import controls
from dashboard.widgets.heading import panel

FALLS = "How overlap falls with the difference in size."
DIFFERS = "Overlap, by how many times larger the larger size is."
FIRST = 10  # ranks that are added up where no other is clicked


def show_across(snapshot: Snapshot, chosen: Selection) -> None:
    """What changes with size over all prompts of the database."""
    overlaps, ranks, topics = (
        _cached(snapshot.name, snapshot, name) for name in ("mean_overlaps", "concentration", "topic_shares")
    )
    trends = trends_of(snapshot)
    if not ranks and not trends:
        return
    panel(
        "Over all prompts",
        "Sums over stored scores: not over all documents, for what was not scored or not kept is unknown.",
    )
    looks = size_looks(answers.models(snapshot))
    if trends:
        _show_trends(trends, looks)
    if not ranks:
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(
            "How concentrated influence is: share by rank within the 20 most helpful documents of a first token. "
            "A straight line is a power law. Click a rank to add up to there."
        )
        rank = render.chart(over_prompts.concentration(ranks, looks), key="concentration")
        first = int(rank or FIRST)
        documents = f"first {first}" if first > 1 else "first"
        render.prose(*[("note", [(name, "strong"), (f": the {documents} carry {percent(share)}", "")])
                       for name, share in _first_carry(ranks, first)])  # fmt: skip
    with right:
        _show_groups(snapshot, topics, looks, chosen)
    if overlaps:
        _show_overlaps(overlaps)


def _show_trends(found: Sequence[SizeTrend], looks: Looks) -> None:
    n = found[0].n_prompts
    read = max(each.n_chance for each in found)
    st.caption(
        f"Over the {n:,} prompts with an expected answer that these sizes answered: how many answers are right, and of "
        "how many the most helpful document says the expected answer; over the "
        f"{read:,} that some size answered rightly, how probable each size finds it."
    )
    render.chart(over_sizes.trend(found, looks), key="trend")


def _show_groups(snapshot: Snapshot, topics: list[dict[str, Any]], looks: Looks, chosen: Selection) -> None:
    """Shares of whole groups, by a column of choice; in a database without them, of topics over what was kept."""
    columns = list(dict.fromkeys(each.column_name for each in groups.groups(snapshot)))
    if not columns:
        st.caption(
            "Which topics gain with size: share of all stored positive influence, by topic of the document. Click a "
            "bar to see the documents of its topic. Whole topics are not computed in this database."
        )
        render.chart(over_prompts.group_shares(topics, looks, "topic"), key="topics", on_point=_open_topic)
        return
    st.caption(
        "Which groups gain with size: share of what whole groups of documents push towards answers, over all documents "
        "and not the stored ones. An answer that a group pushes away from counts as nothing. Click a bar to see which "
        "answers owe most to its group."
    )
    column = chosen.column if chosen.column in columns else columns[0]
    if len(columns) > 1:
        controls.one_of("column", {each: f"By {render.option(each)}" for each in columns}, quiet=True, shown=column)
    rows = [asdict(each) for each in groups.group_shares(snapshot, column)]
    drawn = over_prompts.group_shares(rows, looks, column)

    def opened(value: str) -> None:
        if value:
            open_screen("runs", **UNFILTERED | {"group": Group(column, value, 0).key, "tail": "towards"})

    render.chart(drawn, key=f"groups by {column}", on_point=opened)


def _open_topic(topic: str) -> None:
    if topic:
        open_screen("corpus", topic=topic, search="", source="", document="")


def _first_carry(ranks: list[dict[str, Any]], first: int) -> list[tuple[str, float]]:
    """Per size, the part of the twenty's influence that the first ones carry."""
    found: dict[str, float] = {}
    for row in ranks:
        found[row["name"]] = found.get(row["name"], 0.0) + (row["share"] if row["rank"] <= first else 0.0)
    return list(found.items())


def _show_overlaps(overlaps: list[dict[str, Any]]) -> None:
    st.caption(FALLS if _falls(overlaps) else DIFFERS)
    st.caption(
        "Ten most helpful documents in common, over the prompts that both sizes began to answer with the same token, "
        "by the best estimator that both have. Click a pair to see it alone."
    )
    drawn = over_prompts.overlaps(overlaps)
    left, right = st.columns(2, gap="large")
    with left:
        pair = render.chart(replace(drawn, rows=[]), key="overlaps")  # its numbers stand beside it
    with right:
        shown = pd.DataFrame(drawn.rows)
        shown["Mean overlap at 10"] = [percent(value) for value in shown["Mean overlap at 10"]]
        render.table(shown.iloc[[int(pair)]] if pair else shown)


def _falls(overlaps: list[dict[str, Any]]) -> bool:
    """Whether each larger difference has the smaller overlap."""
    shares = [row["overlap"] for row in sorted(overlaps, key=lambda row: row["ratio"])]
    return len(shares) > 2 and all(later < before for before, later in pairwise(shares))


@st.cache_data(max_entries=16, show_spinner=False)
def _cached(name: str, _snapshot: Snapshot, question: str) -> list[dict[str, Any]]:
    """A question over all rows, asked once for each published database."""
    del name
    rows: list[dict[str, Any]] = getattr(sizes, question)(_snapshot)
    return rows

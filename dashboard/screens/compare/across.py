"""What changes with size over all prompts of the database: concentration, topics, overlap."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.database.queries import sizes
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.screens.compare import charts
from dashboard.widgets.heading import panel


def show_across(snapshot: Snapshot) -> None:
    """What changes with size over all prompts of the database."""
    overlaps, ranks, topics = (
        _cached(snapshot.name, snapshot, name) for name in ("mean_overlaps", "concentration", "topic_shares")
    )
    if not ranks:
        return
    panel(
        "Over all prompts",
        "Sums over stored pairs: not over all documents, for what was not scored or not kept is unknown.",
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(
            "How concentrated influence is: share by rank within the 20 most helpful documents of a first token. "
            "A straight line is a power law."
        )
        st.altair_chart(charts.concentration(ranks), width="stretch")
        render.prose(*[("note", [(name, "strong"), (f": the first ten carry {percent(share)}", "")])
                       for name, share in _first_ten(ranks)])  # fmt: skip
    with right:
        st.caption("Which topics gain with size: share of all stored positive influence, by topic of the document.")
        st.altair_chart(charts.topic_shares(topics), width="stretch")
    if overlaps:
        _show_overlaps(overlaps)


def _first_ten(ranks: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Per size, the part of the twenty's influence that the first ten carry."""
    found: dict[str, float] = {}
    for row in ranks:
        found[row["name"]] = found.get(row["name"], 0.0) + (row["share"] if row["rank"] <= 10 else 0.0)
    return list(found.items())


def _show_overlaps(overlaps: list[dict[str, Any]]) -> None:
    st.caption(
        "How overlap falls with the difference in size: ten most helpful documents in common, over the prompts that "
        "both sizes began to answer with the same token."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.altair_chart(charts.overlaps(overlaps), width="stretch")
    with right:
        shown = pd.DataFrame(overlaps)[["small", "large", "n_prompts", "overlap"]]
        shown["overlap"] = [percent(value) for value in shown["overlap"]]
        shown.columns = ["Smaller", "Larger", "Prompts", "Mean overlap at 10"]
        render.table(shown)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached(name: str, _snapshot: Snapshot, question: str) -> list[dict[str, Any]]:
    """A question over all rows, asked once for each published database."""
    del name
    rows: list[dict[str, Any]] = getattr(sizes, question)(_snapshot)
    return rows

"""What changes with size over all prompts of the database: concentration, topics, overlap."""

import pandas as pd
import streamlit as st

from dashboard import charts, render
from dashboard.figures import percent
from dashboard.queries import sizes
from dashboard.queries.rows import Snapshot


def show_across(snapshot: Snapshot) -> None:
    """What changes with size over all prompts of the database."""
    overlaps, ranks, topics = (
        _cached(snapshot.name, snapshot, name) for name in ("mean_overlaps", "concentration", "topic_shares")
    )
    if not ranks:
        return
    st.subheader("Over all prompts")
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(
            "How concentrated influence is: share by rank within the 20 most helpful documents of a first token."
        )
        st.altair_chart(charts.concentration(ranks), width="stretch")
    with right:
        st.caption("Which topics the helpful documents come from: share of all stored positive influence.")
        st.altair_chart(charts.topic_shares(topics), width="stretch")
    if overlaps:
        st.caption("Overlap of the ten most helpful documents where two sizes began their answers with the same token.")
        shown = pd.DataFrame(overlaps)
        shown["overlap"] = [percent(value) for value in shown["overlap"]]
        shown.columns = ["Smaller", "Larger", "Prompts", "Mean overlap at 10"]
        render.table(shown)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached(name: str, _snapshot: Snapshot, question: str) -> list[dict[str, object]]:
    """A question over all rows, asked once for each published database."""
    del name
    rows: list[dict[str, object]] = getattr(sizes, question)(_snapshot)
    return rows

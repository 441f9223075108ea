"""The prompts of a set with their completions."""

import pandas as pd
import streamlit as st

from dashboard.database.queries import sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.set_records import SetText
from dashboard.drawing import render
from dashboard.widgets.heading import panel

MOST = 200  # texts on the page
WHOLE = 12  # that are shown without a scroll bar of their own


def show_texts(snapshot: Snapshot, name: str) -> None:
    """A table; the file that is exported has all of them."""
    found = sets.set_texts(snapshot, name, MOST + 1)
    panel("Texts of the set", "What the model was asked to continue with: not what it wrote.")
    if not found:
        st.caption("The texts are not in this database.")
        return
    if len(found) > MOST:
        st.caption(f"The first {MOST:,}; the exported file has all.")
    render.table(
        text_table(found[:MOST]), key=f"texts {name}", height="content" if len(found) <= WHOLE else 36 * (WHOLE + 1)
    )


def text_table(found: list[SetText]) -> pd.DataFrame:
    """A row a text; the side is a column where a set has two."""
    two = any(each.side for each in found)
    return pd.DataFrame(
        [
            {"Number": each.number}
            | ({"Side": each.side or "for"} if two else {})
            | {"Prompt": each.prompt, "Completion": each.completion}
            for each in found
        ]
    )

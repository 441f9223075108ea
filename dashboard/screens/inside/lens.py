"""The lens panel: what each size would have said after each block."""

import streamlit as st

from dashboard.database.components.lens import decided
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.size_look import size_looks
from dashboard.screens.inside import charts
from dashboard.screens.inside.view import View
from dashboard.widgets.heading import panel


def show_lens(snapshot: Snapshot, found: View) -> None:
    """The chart, and for one token the depth from which on it leads."""
    if not found.lens:
        return
    panel("Logit lens", "What the model would say if it ended after a block: not what that block knows.")
    if found.width > 1:
        st.caption("Geometric mean over the chosen tokens, of what each size wrote in the same places.")
    else:
        st.caption("Probability of the token that each size wrote in this place, by depth: 100 % is the last block.")
    render.chart(charts.lens(found.lens, size_looks(answers.models(snapshot))), key="lens")
    if found.width > 1:
        return
    said = []
    for name, line in found.lens.items():
        depth = decided(line)
        words = "does not lead at the end" if depth is None else f"leads from {round(100 * depth)} % of the depth on"
        if depth == 1:
            words = "leads after the last block only"
        said.append(("note", [(name, "strong"), (f": its token {words}", "")]))
    render.prose(*said)

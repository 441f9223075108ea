"""Charts: data in, Altair chart out. Nothing here reads, draws or knows Streamlit.

Every chart has a description for those who do not see it and a unit on its axis. Its marks have colours that stand
out on the light page and on the dark one (theme.MARKS), so a chart does not need to know which is shown.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.figures import decimals, plain, signed
from dashboard.layer_groups import LayerGroup
from dashboard.theme import MARKS


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


def _layer_words(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "No layer scores."
    strongest = frame.loc[frame["amount"].abs().idxmax()]
    return f"Influence by layer, {len(frame)} bars; the largest is {strongest['name']} with {strongest['said']}."

"""The list of neurons, and how far first-order effects agree with what replacing a part really does."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.components.name import Component
from dashboard.database.components.records import Spoken
from dashboard.database.records import Measure
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, plain, signed
from dashboard.drawing.shapes import Bar
from dashboard.drawing.visible import one_line
from dashboard.screens.inside import charts
from dashboard.screens.inside.view import NEURONS, View
from dashboard.widgets.heading import panel

WORDS = 3  # that a neuron promotes, in the list


def show_neurons(found: View, selection: Selection) -> None:
    """The strongest of those that are kept, with what they write."""
    amounts = found.shown
    if amounts is None or not amounts.of("neuron"):
        return
    panel(
        "Neurons",
        "The strongest ones that are kept, each alone: a neuron that is not here is unknown, not without effect.",
    )
    listed = list(amounts.of("neuron").items())[:NEURONS]
    places = decimals([value for _, value in listed])
    bars = []
    for each, value in listed:
        part = amounts.known.get(each, found.width) < found.width
        known = f", {amounts.known[each]} of {found.width} tokens" if part else ""
        bars.append(Bar(each.key, _name(each, found.spoken.get(each)), value, signed(value, places) + known))
    render.bar_list(
        bars,
        key="neurons",
        about=f"The {len(bars)} strongest neurons, {amounts.unit}; the first is {bars[0].name} with {bars[0].said}.",
        legend=[("", f"{amounts.unit}:"), ("warm", "towards the token"), ("cool", "away from it")],
        chosen=selection.component if any(bar.key == selection.component for bar in bars) else "",
        on_bar=lambda key: choose(component="" if key == selection.component else key),
    )


def show_agreement(found: View) -> None:
    """Predicted against measured, for these tokens and, as a rank correlation, for the answer."""
    measured, predicted = found.amounts.get("measured"), found.predicted
    said = in_words(found.measures)
    if not said and (measured is None or predicted is None):
        return
    panel("Faithfulness", "Whether log p falls as the total effects say: not whether the answer is right.")
    if said:
        render.prose(("note", said))
    if measured is None or predicted is None:
        return
    st.caption("Each part that was replaced by its baseline, in the chosen tokens. Click a point to open the part.")
    render.chart(charts.agreement(predicted, measured), key="agreement", on_point=lambda key: choose(component=key))


def in_words(measures: Sequence[Measure]) -> str:
    """What was measured of the answer's components, in sentences; '' where nothing was."""
    of = {each.metric: each for each in measures}
    ranks = [
        f"{kind} {plain(of[name].value)}"
        for kind, name in (("heads", "rank_correlation_heads"), ("neurons", "rank_correlation_neurons"))
        if name in of
    ]
    said = (
        [f"Rank correlation of predicted with measured effects over this answer: {', '.join(ranks)}."] if ranks else []
    )
    if (lost := of.get("top_five_heads")) is not None:
        random = "" if lost.random is None else f", five random ones {plain(lost.random)}"
        said.append(f"The five strongest heads, replaced together, take {plain(lost.value)} nats from a token{random}.")
    return " ".join(said)


def _name(neuron: Component, spoken: Spoken | None) -> str:
    words = [f"“{one_line(word)}”" for word in spoken.promoted[:WORDS]] if spoken else []
    return f"{neuron.depth}.{neuron.number} {', '.join(words)}".strip()

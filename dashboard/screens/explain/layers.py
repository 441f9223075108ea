"""Where in the model the influence passes: attention and MLP of each block, and the embedding; they add up."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.layer_groups import LayerGroup, group_scores
from dashboard.database.ranking import layer_total
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Bar
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel


def show_layers(found: Explanation, selection: Selection) -> None:
    """The layer profile of the selected document, or of all documents shown together."""
    panel("Layers", "Which weights the influence passes through, in nats: not where the model keeps the fact.")
    chosen = next((each for each in found.ranked if each.document_id == selection.document), None)
    amounts = chosen.layers if chosen else layer_total(found.shown)
    n_layers = sum(len(group.members) for group in found.groups)
    if not n_layers or len(amounts) != n_layers or not np.isfinite(amounts).all():
        st.caption("No layer scores are stored for this token.")
        return
    of_groups = group_scores(found.groups, amounts)
    total = signed(float(amounts.sum()), decimals([float(amounts.sum())]))
    if chosen:
        st.caption(f"The selected document: {total} nats in all. Click a layer to rank documents by it alone.")
    else:
        st.caption(f"The {len(found.shown)} documents shown: {total} nats in all. Click a layer to rank by it alone.")
    show_bars(
        found.groups,
        of_groups,
        key="layers",
        chosen=selection.layer,
        on_layer=lambda layer: choose(layer="" if layer == selection.layer else layer),
    )
    if selection.layer:
        st.button("Rank by all layers", on_click=lambda: choose(layer=""), type="tertiary", icon=":material/close:")


def show_bars(
    groups: Sequence[LayerGroup],
    amounts: NDArray[np.float64],
    *,
    key: str,
    chosen: str = "",
    on_layer: Callable[[str], None] | None = None,
) -> None:
    """One bar for each group of layers, nats, in the order of depth; they add up to the total. amounts: [G]."""
    places = decimals(amounts)
    bars = [
        Bar(group.key, group.label, float(amount), signed(float(amount), places))
        for group, amount in zip(groups, amounts, strict=True)
    ]
    largest = max(bars, key=lambda bar: abs(bar.amount))
    render.bar_list(
        bars,
        key=key,
        about=f"Influence by layer, {len(bars)} bars; the largest is {largest.name} with {largest.said} nats.",
        legend=[("", "nats:"), ("warm", "towards the token"), ("cool", "away from it")],
        chosen=chosen,
        on_bar=on_layer,
    )

"""Where in the model the influence passes: attention and MLP of each block, and the embedding; they add up."""

import numpy as np
import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.unit import shown_layers
from dashboard.drawing.numbers import decimals, signed
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel
from dashboard.widgets.layer_bars import show_bars


def show_layers(found: Explanation, selection: Selection) -> None:
    """The layer profile of the selected document, or of all documents shown together."""
    panel("Layers", "Which weights the influence passes through: not where the model keeps the fact.")
    chosen = next((each for each in found.ranked if each.document_id == selection.document), None)
    amounts = shown_layers([chosen] if chosen else found.shown, found.unit)
    n_layers = sum(len(group.members) for group in found.groups)
    if not n_layers or len(amounts) != n_layers or not np.isfinite(amounts).all():
        st.caption("No layer scores are stored for this token.")
        return
    total = f"{signed(float(amounts.sum()), decimals([float(amounts.sum())]))} {found.unit.name}"
    if chosen:
        st.caption(f"The selected document: {total} in all. Click a layer to rank documents by it alone.")
    elif len(found.shown) == 1:
        st.caption(f"The document shown: {total} in all. Click a layer to rank by it alone.")
    else:
        st.caption(f"The {len(found.shown)} documents shown: {total} in all. Click a layer to rank by it alone.")
    show_bars(
        found.groups,
        amounts,
        key="layers",
        unit=found.unit.name,
        chosen=selection.layer,
        on_layer=lambda layer: choose(layer="" if layer == selection.layer else layer),
    )
    if selection.layer:
        st.button("Rank by all layers", on_click=lambda: choose(layer=""), type="tertiary", icon=":material/close:")

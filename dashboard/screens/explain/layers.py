"""Where in the model the influence passes: attention and MLP of each block, and the embedding; they add up."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.ranking import Ranked
from dashboard.database.unit import shown_layers
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel
from dashboard.widgets.layer_bars import show_bars


def show_layers(found: Explanation, selection: Selection) -> None:
    """The layer profile of the selected document, or of all documents shown together."""
    panel("Layers", "Which weights the influence passes through: not where the model keeps the fact.")
    every = [(said, shown_layers(of, found.unit)) for said, of in profiles(found, selection)]
    drawn = [(said, amounts) for said, amounts in every if _is_known(amounts, found)]
    if not drawn:
        st.caption("No layer scores are stored for this token.")
        return
    for i, (said, amounts) in enumerate(drawn):
        total = f"{signed(float(amounts.sum()), decimals([float(amounts.sum())]))} {found.unit.name}"
        render.prose(("note", f"{said}: {total} in all. Click a layer to rank by it alone."))
        show_bars(
            found.groups,
            amounts,
            key=f"layers {i}" if i else "layers",
            unit=found.unit.name,
            chosen=selection.layer,
            what="the token" if found.width == 1 else "these tokens",
            on_layer=lambda layer: choose(layer="" if layer == selection.layer else layer),
        )
    if selection.layer:
        st.button("Rank by all layers", on_click=lambda: choose(layer=""), type="tertiary", icon=":material/close:")


def profiles(found: Explanation, selection: Selection) -> list[tuple[str, list[Ranked]]]:
    """What is drawn together, with its name: the selected document, or those shown, never of both sides at once, where
    one would take away what the other adds."""
    if chosen := [each for each in found.ranked if each.document_id == selection.document]:
        return [("The selected document", chosen)]
    sides = {True: " that push towards it", False: " that push away"} if selection.tail == "both" else {True: ""}
    made = []
    for towards, words in sides.items():
        of = [each for each in found.shown if len(sides) == 1 or (each.value >= 0) == towards]
        if of:
            verb = words.replace("push", "pushes") if len(of) == 1 else words
            shown = "The document shown" if len(of) == 1 else f"The {len(of)} documents shown"
            made.append((f"{shown}{verb}", of))
    return made


def _is_known(amounts: NDArray[np.float64], found: Explanation) -> bool:
    n_layers = sum(len(group.members) for group in found.groups)
    return 0 < n_layers == len(amounts) and bool(np.isfinite(amounts).all())

"""On a document's page: the plausible word that would help a stored answer most in the place of another."""

import math

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.database.queries import cleaning, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import StoredDocument, Suspect
from dashboard.database.unit import Unit, unit_for
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, percent, signed
from dashboard.drawing.shapes import Piece
from dashboard.screens.corpus.suspects import word
from dashboard.widgets.heading import panel


def show_relabelling(snapshot: Snapshot, found: StoredDocument, run_id: str) -> None:
    """The best replacement of one of the document's tokens, beside its own influence on the same token of an answer."""
    each = cleaning.suspects(snapshot, run_id, "", [found.document_id]).get(found.document_id)
    if each is None or each.gain is None or each.position is None:
        return
    panel("If one word were another", "A first-order guess of the direction: not what training again would give.")
    unit = unit_for(
        influence.calibration(snapshot, run_id),
        math.nan if each.logp is None else each.logp,
        [each.gain, each.score or 0.0],
    )
    render.prose(("fact", _sentence(each, unit)), ("note", _beside(each, unit)))
    place = each.position
    st.button(
        "Open the answer",
        key=f"relabelled {found.document_id}",
        on_click=lambda: open_screen(
            "explain", generation=each.generation_id, span=(place, place), document=found.document_id
        ),
    )


def _sentence(each: Suspect, unit: Unit) -> list[Piece]:
    gain = unit.shown(each.gain or 0.0)
    return [
        (f"“{word(each.said)}”", "serif"),
        (" → ", "muted"),
        (f"“{word(each.instead)}”", "serif"),
        (f"  {signed(gain, decimals([gain]))} {unit.name}", "warm"),
    ]


def _beside(each: Suspect, unit: Unit) -> str:
    said = "For one token of an answer"
    if each.score is not None:
        own = unit.shown(each.score)
        said += f", on which the document itself has {signed(own, decimals([own]))} {unit.name}"
    if each.probability is not None and math.isfinite(each.probability):
        said += f". The model gives the other word {percent(each.probability)} there"
    return f"{said}." if unit.slope is not None else f"{said}. {unit.why}"

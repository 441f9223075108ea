"""Training documents of a set, as cards: the best, the worst, or the strongest either way."""

import math

import streamlit as st

from dashboard.address.bar import choose, open_screen
from dashboard.address.choices import SIDES
from dashboard.address.selection import Selection
from dashboard.database.set_records import SetScore
from dashboard.drawing import render
from dashboard.drawing.document_text import drawn
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Card
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.screens.sets.view import View
from dashboard.widgets import controls
from dashboard.widgets.as_trained import reading_keys
from dashboard.widgets.heading import panel
from dashboard.widgets.scored_card import lost, random_badge, scored_card

LONG = 600  # characters beyond which a card that is not selected shows a passage
PASSAGE = 400  # characters of it


def show_documents(found: View, chosen: Selection) -> None:
    """The switch, the cards of this page, and the way to the others."""
    panel(
        "Training documents",
        "What one more look at a document would do to the whole set, predicted from gradients: not the result of "
        "training again.",
    )
    controls.switch("tail", SIDES)
    if not found.shown:
        st.caption("No document that was scored exactly pushes this way.")
        return
    cards = document_cards(found, chosen)
    render.document_list(
        cards,
        key="documents of a set",
        about="Training documents, strongest first",
        keys=reading_keys(cards, found.documents.values()),
        selected=chosen.document,
        diverging=chosen.tail == "both",
        on_document=lambda document_id: choose(document=document_id),
        on_page=lambda document_id: open_screen("corpus", document=document_id),
    )
    if found.n_pages > 1:
        key = f"sets page {found.page} of {found.n_pages}"
        st.pagination(found.n_pages, default=found.page, key=key, on_change=lambda: choose(page=st.session_state[key]))
    scored = f"{found.target.n_scored:,} of {found.target.n_documents:,} documents were scored exactly."
    render.prose(("note", f"{scored} {found.unit.meaning}"))


def document_cards(found: View, chosen: Selection) -> list[Card]:
    """In the order of the page, each bar relative to the strongest of them."""
    values = [found.unit.shown(each.score) for each in found.shown]
    top, places = max(map(abs, values), default=0.0) or 1.0, decimals(values)
    cards = []
    for each, value in zip(found.shown, values, strict=True):
        document = found.documents.get(each.document_id) or lost(each.document_id)
        short = len(document.text) <= LONG or each.document_id == chosen.document
        read = found.read.get(each.document_id)
        text = drawn(document, read, None, 1.0, LONGEST_TEXT if short else PASSAGE)
        badges = random_badge(each.score, found.target.null_scores)
        facts = _facts(each, found, places)
        unit = found.unit.name
        cards.append(scored_card(document, text, value, top=top, places=places, unit=unit, facts=facts, badges=badges))
    return cards


def _facts(each: SetScore, found: View, places: int) -> str:
    rank = f"rank {each.rank:,} of {found.target.n_documents:,}"
    return (
        f"{rank} · estimate {signed(found.unit.shown(each.estimate), places)}" if math.isfinite(each.estimate) else rank
    )

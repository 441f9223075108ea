"""Corpus: search the training documents, see which are the most influential or the most suspicious, open one."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, selection
from dashboard.address.selection import Selection
from dashboard.database.connection import current
from dashboard.database.queries import cleaning, documents, filters
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model, StoredDocument, Suspect
from dashboard.database.topic_name import topic_name
from dashboard.drawing import render
from dashboard.drawing.document_text import shown
from dashboard.drawing.shapes import Card, Heated
from dashboard.screens.corpus import RECORD
from dashboard.screens.corpus.document import show_document
from dashboard.screens.corpus.document_sheet import document_sheet
from dashboard.screens.corpus.influential import show_influential
from dashboard.screens.corpus.listed import Listed, listed
from dashboard.screens.corpus.order import choose_order
from dashboard.screens.corpus.shaded import Shaded, shaded
from dashboard.screens.corpus.sheet import corpus_sheet
from dashboard.screens.corpus.suspects import MEASURED, VALUES, Scales, against, say_none, say_order, scales
from dashboard.screens.corpus.what_if import show_what_if
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from dashboard.widgets.size_switch import model_of_page
from indexer.search.text_index import highlights

LONG = 400  # characters beyond which a listed document shows a passage
PASSAGE = 320  # characters of it


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    _choose_filters(snapshot)
    model = model_of_page(snapshot, RECORD)
    opened = documents.document(snapshot, chosen.document) if chosen.document else None
    if chosen.document and opened is None:
        render.problem(f"No document {chosen.document} in this corpus.")

    # ask
    page = listed(snapshot, chosen, model)
    found = documents.documents(snapshot, page.ids)
    shown_now = [found[each] for each in page.ids if each in found]

    # shape
    scale = scales(snapshot, page.run_id, page.target_set, page.suspects)
    cards = [_card(each, page, chosen, scale) for each in shown_now]
    shade = shaded(snapshot, opened.document_id, model, chosen) if opened and model else Shaded()

    # show
    of_document = document_sheet(snapshot, opened, chosen, shade) if opened else None
    choose_order(snapshot, chosen, model, corpus_sheet(snapshot, page, model, chosen), page, of_document)
    if opened is None or model is None:
        _show_list(snapshot, cards, chosen, model, page, scale)
        if model is not None:
            show_what_if(snapshot, model, None, chosen)
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _show_list(snapshot, cards, chosen, model, page, scale)
    with right, st.container(key="opened"):
        st.button("Close the document", on_click=lambda: choose(document=""), type="tertiary", icon=":material/close:")
        show_document(snapshot, opened, model, chosen, shade)


def _choose_filters(snapshot: Snapshot) -> None:
    """The size is that of the page, which the frame chooses."""
    first, second, third = st.columns([4, 2, 2])
    with first:
        controls.text_field("search")
    with second:
        controls.pick("source", filters.document_sources(snapshot), "all sources")
    with third:
        controls.pick("topic", filters.document_topics(snapshot), "all topics", topic_name)


def _card(found: StoredDocument, page: Listed, chosen: Selection, scale: Scales) -> Card:
    facts, each = page.facts.get(found.document_id, ""), page.suspects.get(found.document_id)
    badges = ((f"among the ten best of {facts}", False),) if facts else ()
    text = shown(_marked(found.text, chosen.search), PASSAGE if len(found.text) > LONG else len(found.text))
    return Card(
        found.document_id,
        found.title,
        found.where,
        text.pieces,
        before=text.before,
        after=text.after,
        **(against(each, page.order, scale, page.target_set) if each and page.order else {"badges": badges}),
    )


def _marked(text: str, search: str) -> list[Heated]:
    pieces: list[Heated] = []
    at = 0
    for start, stop in highlights(text, search) if search.strip() else []:
        pieces += [Heated(text[at:start]), Heated(text[start:stop], "mark")]
        at = stop
    return [*pieces, Heated(text[at:])]


def _show_list(
    snapshot: Snapshot, cards: Sequence[Card], chosen: Selection, model: Model | None, page: Listed, scale: Scales
) -> None:
    if chosen.search.strip():
        panel("Documents found", "Best match of the words first: meaning is not searched.")
        render.prose(("note", page.count))
    elif page.order and model is not None:
        first = next(iter(page.suspects.values()), Suspect(""))
        unit = scale.unit(first, VALUES[page.order]).meaning
        say_order(page.order, model, page.target_set, unit, cleaning.found_wrong(snapshot, MEASURED[page.order]))
        if not cards:
            say_none(page.order, page.target_set, bool(chosen.source or chosen.topic))
            return
        render.prose(("note", page.count))
    elif page.by and model is not None:
        show_influential(snapshot, page, model, chosen)
    else:
        panel("Documents", "The order of the titles: not of any influence.")
        render.prose(("note", page.count))
    if not cards:
        render.problem("No document passes.")
        return
    render.document_list(
        cards,
        key="corpus",
        about="Documents",
        selected=chosen.document,
        on_document=lambda document_id: choose(document=document_id),
    )
    if page.n_pages > 1:
        key = f"corpus page {page.page} of {page.n_pages}"
        st.pagination(page.n_pages, default=page.page, key=key, on_change=lambda: choose(page=st.session_state[key]))

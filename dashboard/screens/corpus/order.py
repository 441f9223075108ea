"""The switch of Corpus's orders, and the files of the one that is chosen."""

import streamlit as st

from dashboard.address.choices import ORDERS
from dashboard.address.selection import Selection
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.export.sheet import Sheet
from dashboard.screens.corpus.listed import Listed
from dashboard.screens.corpus.sheet import suspects_sheet
from dashboard.screens.corpus.suspects import sets_of
from dashboard.widgets import controls
from dashboard.widgets.tools import show_tools, show_tools_alone


def choose_order(
    snapshot: Snapshot,
    chosen: Selection,
    model: Model | None,
    sheet: Sheet,
    page: Listed,
    of_document: Sheet | None = None,
) -> None:
    """Draw them; `sheet` is that of a search, which has no other order, and of the most influential documents;
    `of_document` that of an opened document, which comes before any list's."""
    if chosen.search.strip() or model is None:
        show_tools_alone(snapshot, of_document or sheet, model)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            controls.switch("order", ORDERS)
            known = sets_of(snapshot, page.run_id)
            if page.order == "harm" and len(known) > 1:
                controls.one_of(
                    "target_set", {each: render.option(each) for each in known}, quiet=True, shown=page.target_set
                )
        if page.order and of_document is None:
            sheet = suspects_sheet(snapshot, page.run_id, model, page.target_set, chosen)
        show_tools(snapshot, of_document or sheet, model)

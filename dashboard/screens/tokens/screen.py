"""Tokens: one word, in every answer and in the training texts, and what drives it."""

import math

import pandas as pd
import streamlit as st

from dashboard.address.bar import choose, open_screen, selection
from dashboard.address.selection import Selection
from dashboard.database.connection import current
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import counted, percent
from dashboard.screens.runs.rows import page_of, prompt_rows
from dashboard.screens.tokens import RECORD
from dashboard.screens.tokens.driven import show_documents, show_groups
from dashboard.screens.tokens.most_written import show_most_written
from dashboard.screens.tokens.sheet import tokens_sheet
from dashboard.screens.tokens.view import OfSize, View, view
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from dashboard.widgets.size_switch import model_of_page, size_of_page
from dashboard.widgets.tools import show_tools, show_tools_alone

PER_PAGE = 10
MATCHES = {"word": "the word", "literal": "the token"}


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    first, second, _ = st.columns([3, 2, 4])
    with first:
        controls.text_field("token")
    with second:
        controls.one_of("match", MATCHES, shown="literal" if chosen.match == "literal" else "word")
    if not chosen.token.strip():
        st.caption("Type a word: how often it is written, in which answers, and what drives it over all of them.")
        show_tools_alone(snapshot, None, None)
        model = model_of_page(snapshot, RECORD)
        if model is not None:
            show_most_written(snapshot, model, chosen.match)
        return

    # ask
    found = view(snapshot, chosen, size_of_page(snapshot, RECORD))

    # show
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        render.prose(("title", f"“{found.token}”"))
        show_tools(snapshot, tokens_sheet(snapshot, found, chosen), found.shown.model if found.shown else None)
    render.prose(("fact", _said(found)))
    main, side = st.columns([5, 3], gap="large")
    with main:
        _show_sizes(found)
        show_documents(found)
    with side:
        show_groups(found)
        _show_texts(found)
    _show_answers(snapshot, found, chosen)


def _said(found: View) -> str:
    """How often it is written, in one sentence."""
    times, n_answers = (sum(getattr(each, name) for each in found.sizes) for name in ("n_times", "n_answers"))
    texts, in_texts = (sum(getattr(each, name) for each in found.texts) for name in ("n_documents", "n_times"))
    written = f"Written {counted(times, 'time')} in {counted(n_answers, 'answer')}" if times else "In no answer"
    trained = f"{counted(in_texts, 'time')} in {counted(texts, 'training text')}" if texts else "in no training text"
    return f"{written}; as a word, {trained}."


def _show_sizes(found: View) -> None:
    panel("In each size", "Where a size writes it: not how well the size knows it.")
    rows = [
        {
            "Size": each.model.name,
            "Answers": each.n_answers,
            "Times": each.n_times,
            "Mean probability": percent(each.probability) if math.isfinite(each.probability) else _missing(each),
            "Helped most by": _title(found, each.top.document_id) if each.top else _missing(each),
        }
        for each in found.sizes
    ]
    render.table(pd.DataFrame(rows), height="content")


def _missing(of: OfSize) -> str:
    return "not known" if of.n_times else "never written"


def _title(found: View, document_id: str) -> str:
    document = found.documents.get(document_id)
    return (document.title if document else "") or "untitled"


def _show_texts(found: View) -> None:
    panel("In the training texts", "How often it is written there: not how much was learned from it.")
    if not found.texts:
        st.caption("No training text has it as a word.")
        return
    rows = [
        {
            "Source": each.source or "(none)",
            "Texts with it": each.n_documents,
            "Times": each.n_times,
            "Of all its texts": percent(each.n_documents / each.all_documents),
        }
        for each in found.texts
    ]
    render.table(pd.DataFrame(rows), height="content")
    st.button(
        "Look for it in Corpus",
        on_click=lambda: open_screen("corpus", search=found.token, document=""),
        type="tertiary",
        icon=":material/search:",
    )


def _show_answers(snapshot: Snapshot, found: View, chosen: Selection) -> None:
    """A page of the prompts after which any size writes it; an answer opens at the word."""
    panel("In these answers", "Answers in grey are other sizes' to the same prompt: they do not have it.")
    ids = list(found.passing)
    if not ids:
        st.caption("No answer has it.")
        return
    n_pages = -(-len(ids) // PER_PAGE)
    number = min(chosen.page or 1, n_pages)
    page = page_of(snapshot, ids[(number - 1) * PER_PAGE : number * PER_PAGE], "")
    of = f", page {number:,} of {n_pages:,}" if n_pages > 1 else ""
    render.prose(("note", f"{counted(len(ids), 'prompt')}{of}."))
    looked_for = Selection(token=found.token, match=found.match)
    rows = prompt_rows(page, answers.models(snapshot), found.passing, looked_for)

    def opened(generation_id: str) -> None:
        place = found.place_in(generation_id)
        open_screen("explain", generation=generation_id, span=(place.first, place.last) if place else None)

    render.prompt_table(rows, key="answers with it", on_generation=opened)
    if n_pages > 1:
        key = f"tokens page {number} of {n_pages}"
        st.pagination(n_pages, default=number, key=key, on_change=lambda: choose(page=st.session_state[key]))

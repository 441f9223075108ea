"""Explain: one answer, token by token: its training documents, its layers, its prompt."""

import streamlit as st

from dashboard.address.bar import selection, settle
from dashboard.address.selection import Selection
from dashboard.asking.result import AskedAnswer
from dashboard.database.connection import current
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.spans import opens_on
from dashboard.database.span_records import opening
from dashboard.screens.explain.answer import choose_saliency, choose_shading, show_answer
from dashboard.screens.explain.documents import scale_note, show_documents
from dashboard.screens.explain.explanation import Explanation, explain
from dashboard.screens.explain.layers import show_layers
from dashboard.screens.explain.memory import show_memory
from dashboard.screens.explain.prompt import show_prompt
from dashboard.screens.explain.relabelling import show_relabelling
from dashboard.screens.explain.sheet import explained_sheet
from dashboard.screens.explain.sources import show_sources
from dashboard.screens.explain.story import show_story
from dashboard.screens.explain.word_for_word import show_copies
from dashboard.widgets.asked_answer import asked_answer, explain_absence
from dashboard.widgets.more_saliency import with_chosen_map
from dashboard.widgets.tools import show_tools


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    if chosen.job:
        _show_asked(snapshot, chosen)
        return
    found = answers.generation(snapshot, chosen.generation) if chosen.generation else answers.example(snapshot)
    if found is None:
        explain_absence(chosen.generation)
        return
    if not chosen.generation:  # the first page shows a finished example
        chosen = settle(generation=found.generation_id, span=opens_on(snapshot, found))

    # ask
    answer = with_chosen_map(StoredAnswer(snapshot, found, chosen.run))

    # show
    _show(snapshot, explain(snapshot, chosen, answer), chosen, answer)


def _show(snapshot: Snapshot, explanation: Explanation, chosen: Selection, answer: StoredAnswer | AskedAnswer) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_tools(snapshot, explained_sheet(snapshot, explanation, chosen), explanation.generation.model)
    with st.container(border=True, key="answer"):
        show_answer(explanation, chosen)
        with st.container(horizontal=True, key="shadings"):
            choose_shading(explanation, chosen)
            choose_saliency(explanation)
    if chosen.span and explanation.whole:
        st.caption("The address names a token that this answer does not have; the whole answer is shown.")
    show_story(explanation, chosen)
    main, side = st.columns([5, 3], gap="large")
    with main:
        show_documents(explanation, chosen)
        st.caption(scale_note(explanation, chosen))
        show_copies(explanation, chosen)
    with side:
        show_sources(explanation, chosen)
        show_layers(explanation, chosen)
        show_relabelling(snapshot, explanation, chosen)
        show_memory(explanation)
        show_prompt(explanation, chosen, answer)


def _show_asked(snapshot: Snapshot, chosen: Selection) -> None:
    """A new prompt: its progress, then what is known of it."""
    asked = asked_answer(snapshot, chosen.job)
    if asked is None:
        return
    if chosen.span is None and not chosen.document and asked.targets() and _is_new(chosen.job):
        chosen = settle(span=opening(asked.spans()))
    answer = with_chosen_map(asked)
    _show(snapshot, explain(snapshot, chosen, answer), chosen, answer)


def _is_new(job_id: str) -> bool:
    """Whether its documents are shown for the first time."""
    key = f"opened {job_id}"
    return not st.session_state.get(key) and bool(st.session_state.setdefault(key, True))

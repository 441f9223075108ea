"""Explain: one answer, token by token: its training documents, its layers, its prompt."""

import streamlit as st

from dashboard import queries, render
from dashboard.address_bar import choose, selection
from dashboard.database import current
from dashboard.explanation import explain
from dashboard.panels.answer import choose_shading, show_answer
from dashboard.panels.documents import scale_note, show_documents
from dashboard.panels.layers import show_layers
from dashboard.panels.memory import show_memory
from dashboard.sizes import choose_size


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    found = queries.generation(snapshot, chosen.generation) if chosen.generation else queries.example(snapshot)
    if found is None:
        _explain_absence(chosen.generation)
        return
    if not chosen.generation:  # the first page shows a finished example
        choose(generation=found.generation_id, span=(0, 0))
        chosen = selection()

    # ask
    explanation = explain(snapshot, chosen, found)

    # show
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        choose_size(found, explanation.siblings)
        choose_shading(explanation, chosen)
    with st.container(border=True, key="answer"):
        show_answer(explanation, chosen)
    if chosen.span and explanation.whole:
        st.caption("The address names a token that this answer does not have; the whole answer is shown.")
    main, side = st.columns([5, 3], gap="large")
    with main:
        show_documents(explanation, chosen)
        st.caption(scale_note(chosen))
    with side:
        show_layers(explanation, chosen)
        show_memory(explanation)


def _explain_absence(generation_id: str) -> None:
    if generation_id:
        render.problem(f"No answer {generation_id} in this database. Runs lists those that it has.")
    else:
        render.problem("This database holds no answers yet.", ("command", "python -m indexer build CONFIG"))

"""Context: an answer from documents, what it took from which of them, and what it cites."""

from collections.abc import Sequence

import streamlit as st

from dashboard import controls, render
from dashboard.address_bar import choose, selection, settle
from dashboard.database import current
from dashboard.panels.reading import show_agreement, show_answer, show_citations, show_documents
from dashboard.queries import answers, prompts
from dashboard.reading import Reading, read
from dashboard.selection import Selection


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    known = prompts.answers_from_documents(snapshot)
    if not known:
        _explain_absence()
        return
    if chosen.generation not in {generation_id for generation_id, *_ in known}:
        chosen = settle(generation=known[0][0])
    _choose_answer(known, chosen)
    _choose_thresholds()

    # ask
    found = answers.generation(snapshot, chosen.generation)
    if found is None:
        return
    reading = read(snapshot, found)

    # shape
    sensitive = reading.sensitive(chosen.deviations)
    focus = _focus(reading, chosen, sensitive)
    live = reading.citations(focus, chosen.cues)

    # show
    left, right = st.columns([1, 1], gap="large")
    with left:
        show_answer(reading, chosen, sensitive)
        show_citations(reading, live)
        show_agreement(reading, live)
    with right:
        show_documents(reading, chosen, focus, live)


def _choose_answer(known: Sequence[tuple[str, str, str]], chosen: Selection) -> None:
    words = {each: f"{model}: …{prompt[-110:]}" for each, prompt, model in known}
    st.session_state["context answer"] = chosen.generation
    st.selectbox(
        "Answer",
        list(words),
        key="context answer",
        format_func=lambda each: render.option(words[each]),
        on_change=lambda: choose(generation=st.session_state["context answer"]),
        label_visibility="collapsed",
    )


def _choose_thresholds() -> None:
    first, second = st.columns(2, gap="large")
    with first:
        controls.slide("deviations", -1.0, 3.0, 0.25)
    with second:
        controls.slide("cues", -50, 20, 1)


def _focus(reading: Reading, chosen: Selection, sensitive: list[int]) -> list[int]:
    """The sensitive tokens to explain: those of the chosen span, or all."""
    if chosen.span is None:
        return sensitive
    first, last = chosen.span
    return [token for token in range(first, min(last, len(reading.tokens) - 1) + 1) if token in reading.cues]


def _explain_absence() -> None:
    render.problem(
        "No prompt of this database brought documents of its own.",
        ("note", "Add lines like this one to the prompt file, then build again:"),
        ("command", '{"question": "…", "docs": [{"title": "…", "text": "…"}]}'),
    )

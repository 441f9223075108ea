"""Context: an answer from documents, what it took from which of them, and what it cites."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, selection, settle, still
from dashboard.address.choices import PRESETS
from dashboard.address.selection import Selection
from dashboard.database.connection import current
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers, prompts
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.screens.context import RECORD
from dashboard.screens.context.answer import show_answer, show_documents
from dashboard.screens.context.citations import show_agreement, show_citations
from dashboard.screens.context.evidence import Reading, read
from dashboard.screens.context.form import show_form
from dashboard.screens.context.sheet import context_sheet
from dashboard.widgets import controls
from dashboard.widgets.asked_answer import asked_answer
from dashboard.widgets.heading import panel
from dashboard.widgets.measures import show_measures
from dashboard.widgets.size_switch import asked_sizes, size_of_page
from dashboard.widgets.tools import show_tools_alone

ALONE = (
    "This prompt brought one document, so there is nothing to compare it with: whatever the answer took from documents "
    "is from this one. The shading of both shows what. Add a document above to see which is cited."
)
ITS_SENTENCES = "Its sentences are compared with each other: the bars beside them show which the answer needed."
NO_DOCUMENTS = "This prompt brought no documents; its answer is shown on Explain."


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    known = prompts.answers_from_documents(snapshot)
    sizes = asked_sizes(answers.models(snapshot), size_of_page(snapshot, RECORD))
    show_form(sizes[0], opened=not (known or chosen.job))
    if chosen.job:
        _show_asked(snapshot, chosen)
        return
    if not known:
        _explain_absence()
        return
    if chosen.generation not in {generation_id for generation_id, *_ in known}:
        chosen = settle(generation=known[0][0])
    _choose_answer(known, chosen)

    # ask
    found = answers.generation(snapshot, chosen.generation)
    if found is None:
        return
    _show(snapshot, read(StoredAnswer(snapshot, found)), chosen)


def _show(snapshot: Snapshot, reading: Reading, chosen: Selection) -> None:
    # shape
    k = None if chosen.preset == "inseq" else chosen.cues
    sensitive = reading.sensitive(chosen.deviations, chosen.preset)
    focus = _focus(reading, chosen, sensitive)
    live = reading.citations(focus, k, chosen.preset)

    # show
    owed = reading.owed_by_sentence()
    show_tools_alone(snapshot, context_sheet(reading, live, owed, chosen), reading.generation.model)
    _choose_thresholds(chosen)
    left, right = st.columns([1, 1], gap="large")
    with left:
        show_answer(reading, chosen, sensitive, k)
        if len(reading.documents) > 1:
            show_citations(reading, live, owed, chosen)
            show_agreement(reading, chosen, live, owed)
        else:
            compared = bool(reading.owed_to_sentences(None))
            render.prose(("note", ALONE), *([("note", ITS_SENTENCES)] if compared else []))
    with right:
        show_documents(reading, chosen, focus, k, live)
    show_measures(reading.measures)


def _show_asked(snapshot: Snapshot, chosen: Selection) -> None:
    """A new question with documents of its own: its progress, its answer, then what the answer took from them."""
    asked = asked_answer(snapshot, chosen.job)
    if asked is None:
        return
    if not any(part.kind == "document" for part in asked.parts()):
        render.problem(NO_DOCUMENTS)
    elif not asked.knows_context:
        panel("Answer", "What the model wrote: which documents it rests on is not known.")
        render.prose(("quote", asked.generation.text))
    else:
        _show(snapshot, read(asked), chosen)


def _choose_answer(known: Sequence[tuple[str, str, str]], chosen: Selection) -> None:
    words = {each: f"{model}: {question}" for each, question, model in known}
    st.session_state["context answer"] = chosen.generation
    st.selectbox(
        "Answer",
        list(words),
        key="context answer",
        format_func=lambda each: render.option(words[each]),
        on_change=still(lambda: choose(generation=st.session_state["context answer"])),
        label_visibility="collapsed",
    )


def _choose_thresholds(chosen: Selection) -> None:
    with st.expander("Method", icon=":material/tune:"):
        st.caption(
            "A token of the answer is sensitive when the model would have been of another mind without the documents. "
            "Its cues are the words of the documents that it reacts to most: the gradient, by each of them, of the "
            "choice between the token and what would have stood there. Both steps are MIRAGE (Qi et al. 2024). "
            "ContextCite, Leave one out and Shapley ask otherwise: they take documents away and see what the answer "
            "loses."
        )
        _choose_rule(chosen)


def _choose_rule(chosen: Selection) -> None:
    first, second, third = st.columns([1, 2, 2], gap="large")
    with first:
        controls.switch("preset", PRESETS, quiet=False)
    with second:
        controls.slide("deviations", -1.0, 3.0, 0.25)
        st.caption(f"Standard deviations above the mean change: {chosen.deviations:g}.")
    with third:
        controls.slide("cues", -50, 20, 1, disabled=chosen.preset == "inseq")
        _tell_cues(chosen)


def _tell_cues(chosen: Selection) -> None:
    if chosen.preset == "inseq":
        st.caption("inseq keeps cues by its own rule.")
    elif chosen.cues > 0:
        st.caption(f"Strongest cues of each token, at most: {chosen.cues:d}.")
    elif chosen.cues == 0:
        st.caption("Cues above the mean.")
    else:
        st.caption(f"Cues in the top {-chosen.cues:d} % of their range.")


def _focus(reading: Reading, chosen: Selection, sensitive: list[int]) -> list[int]:
    """The sensitive tokens to explain: those of the chosen span, or all."""
    if chosen.span is None:
        return sensitive
    first, last = chosen.span
    return [token for token in range(first, min(last, len(reading.tokens) - 1) + 1) if token in reading.cues]


def _explain_absence() -> None:
    render.problem(
        "No prompt of this database brought documents of its own.",
        (
            "note",
            "Ask about documents of your own above, or add lines like this one to the prompt file and build again:",
        ),
        ("command", '{"question": "…", "docs": [{"title": "…", "text": "…"}]}'),
    )

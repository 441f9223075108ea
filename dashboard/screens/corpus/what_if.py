"""What if: the box in which a document is changed, or a text is added, and the answer for which that is asked."""

from collections.abc import Mapping

import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.asking import jobs
from dashboard.asking.refused import WHAT_IF, refused, trying
from dashboard.asking.what_if import WhatIf, what_if_in
from dashboard.database.queries import answers, documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model, StoredDocument
from dashboard.drawing import render
from dashboard.screens.corpus.what_if_result import show_result
from dashboard.widgets.ask_box import watch
from dashboard.widgets.heading import panel

MODES = {"instead": "This document, changed", "more": "A further text"}
EACH, MOST = 5, 300  # answers that the document sways at either end; all that are offered
LONGEST_EDITED = 100_000  # characters of a document that the box takes
FORGOTTEN = "The server no longer holds this result (it was restarted, or the result is old). Ask again."


def show_what_if(snapshot: Snapshot, model: Model, found: StoredDocument | None, chosen: Selection) -> WhatIf | None:
    """The box, and what came of the last question about this document (of no document: about a further text); the
    result, where there is one."""
    if found:
        panel("What if it said something else?", "A prediction from gradients: not the result of training again.")
    else:
        panel("What if another text had been there?", "A prediction from gradients: not the result of training again.")
    offered = _offered(snapshot, model, found)
    if not offered:
        st.caption("This size has no answers here for which that could be asked.")
        return None
    asked = jobs.news(chosen.what_if) if chosen.what_if else None
    document_id = found.document_id if found else ""
    request = asked.request if asked and asked.request.get("kind") == "what_if" else {}
    _show_box(model, found, offered, chosen, request)
    if why := refused(WHAT_IF):
        render.problem(why)
    if not chosen.what_if:
        return None
    if asked is None:
        render.problem(FORGOTTEN)
        return None
    if request.get("instead_of", document_id) != document_id:
        return None  # of another document
    if asked.error:
        render.problem(asked.error)
        return None
    if not asked.ended:
        watch([asked])
        return None
    made = what_if_in(snapshot, asked.result or {})
    if made is None:
        render.problem("The worker gave no result for this text. Ask again.")
        return None
    show_result(made, found, chosen)
    return made


def _offered(snapshot: Snapshot, model: Model, found: StoredDocument | None) -> dict[str, str]:
    """generation_id -> how the answer is called; those first that the document sways most."""
    named = {each: f"{asked} →{text}" for each, asked, text in answers.answers_of(snapshot, model.model_id, MOST)}
    swayed: dict[str, str] = {}
    for run in answers.best_first(snapshot, model.model_id)[:1] if found else []:
        for side in ("towards", "away"):
            for each in documents.swayed(snapshot, run.run_id, found.document_id if found else "", "token", side, EACH):
                swayed.setdefault(each.generation_id, f"{each.prompt} →{each.answer}")
    return swayed | {each: words for each, words in named.items() if each not in swayed}


def _show_box(
    model: Model,
    found: StoredDocument | None,
    offered: Mapping[str, str],
    chosen: Selection,
    request: Mapping[str, object],
) -> None:
    given = found.turns or found.text if found else ""
    modes = MODES if len(given) <= LONGEST_EDITED else {"more": MODES["more"]}
    mode = "more"
    if found and len(modes) > 1:
        of_text = request.get("instead_of", "") if request else given
        shown = st.segmented_control(
            "What is asked about", list(modes), default="instead" if of_text else "more", key="what if mode",
            format_func=MODES.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
        mode = shown or "instead"
    elif found:
        st.caption(
            f"It is too long to be changed here, {len(given):,} characters; `whence ask --document` takes it as a file."
        )
    of = found.document_id if found and mode == "instead" else ""
    is_asked = bool(request) and request.get("instead_of", "") == of
    with st.form(f"what if {of}", border=False):
        wanted = str(request.get("generation_id", "")) if is_asked else chosen.generation
        ids = list(offered)
        st.selectbox(
            "For which answer",
            ids,
            index=ids.index(wanted) if wanted in ids else 0,
            key=f"what if answer {model.name} {of}",
            format_func=lambda each: render.option(_short(offered[each])),
        )
        render.editor(str(request.get("text", "")) if is_asked else given if of else "", key=f"what if text {of}")
        st.form_submit_button(
            "What if it said this?" if of else "What if it had been trained on this?",
            on_click=lambda: _ask(model.name, found.document_id if found else "", of),
        )


def _short(words: str) -> str:
    """The end of a prompt says more than its beginning."""
    return words if len(words) <= 110 else f"…{words[-110:]}"


def _ask(model: str, document_id: str, instead_of: str) -> None:
    text = st.session_state[f"what if text {instead_of}"]
    generation_id = st.session_state[f"what if answer {model} {instead_of}"]
    with trying(WHAT_IF):
        job = jobs.submit_what_if(text, model, generation_id, instead_of)
        choose(generation=generation_id, span=None, document=document_id, what_if=job.id)

"""The prompt: which of its tokens and parts the chosen ones react to, by a method of the analyst's choice."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from attribution.errors import WhenceError
from attribution.prompt.saliency.method import label, on_demand
from dashboard.address.bar import choose, open_screen, still
from dashboard.address.choices import CONTRASTS
from dashboard.address.selection import Selection
from dashboard.asking import jobs
from dashboard.database.records import Generation, PromptPart
from dashboard.drawing import render
from dashboard.drawing.numbers import signed
from dashboard.drawing.shapes import Bar
from dashboard.screens.explain.explanation import Explanation
from dashboard.screens.explain.prompt_parts import PartSum, by_part
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from dashboard.widgets.measures import in_words

_REFUSED = "why another method was refused"


def show_prompt(found: Explanation, selection: Selection) -> None:
    """How far the method holds, the contrast where one is stored, and the sums of the parts where there are several."""
    if not found.saliency_methods:
        return
    panel(
        "Prompt", "How the chosen tokens react to each token of the prompt: not how much of the answer comes from it."
    )
    if told := in_words(found.measures, found.saliency_method):
        render.prose(("note", told))
    if found.has_contrast:
        controls.switch("contrast", CONTRASTS)
    sums = by_part(found.parts, found.prompt_tokens, found.saliency)
    if sum(each.part >= 0 for each in sums) > 1:
        _show_parts(sums, selection)
    _offer_others(found, selection)


def _show_parts(sums: Sequence[PartSum], selection: Selection) -> None:
    """Shares of the largest: one bar for each part, in the order of the prompt."""
    top = max((abs(each.amount) for each in sums), default=0.0) or 1.0
    bars = [
        Bar(str(each.part), f"{i}. {each.name[:60]}", each.amount / top, signed(each.amount / top, 2))
        for i, each in enumerate(sums, 1)
    ]
    words = "; ".join(f"{bar.name} {bar.said}" for bar in bars)
    render.bar_list(
        bars,
        key="parts",
        about=f"Saliency by part of the prompt, relative to the largest: {words}.",
        legend=[("", "saliency, largest part = 1:"), ("warm", "towards"), ("cool", "away")],
        chosen="" if selection.part is None else str(selection.part),
        on_bar=lambda part: choose(part=None if int(part) == selection.part else int(part)),
    )


def _offer_others(found: Explanation, selection: Selection) -> None:
    """Methods that are not stored are computed by the worker, as for a new prompt."""
    missing = [name for name in on_demand() if name not in found.saliency_methods]
    if not missing:
        return
    key = f"another method for {found.generation.generation_id}"

    def compute() -> None:
        method = st.session_state[key]
        if method is None:
            return
        row = as_line(found.generation, found.parts) | {"saliency": [*found.saliency_methods[:1], method]}
        try:
            job = jobs.submit_row(row, found.generation.model.name)
        except WhenceError as error:
            st.session_state[_REFUSED] = str(error)
            return
        open_screen("explain", generation="", job=job.id, span=selection.span, saliency=method)

    st.selectbox(
        "Compute another method",
        missing,
        index=None,
        key=key,
        format_func=label,
        on_change=still(compute),
        placeholder="Compute another method",
        label_visibility="collapsed",
    )
    if refused := st.session_state.pop(_REFUSED, ""):
        render.problem(refused)


def as_line(generation: Generation, parts: list[PromptPart]) -> dict[str, Any]:
    """The prompt as a line of a prompt file: documents and question again, or its text."""
    text = generation.prompt
    documents = [part for part in parts if part.kind == "document"]
    question = next((part for part in parts if part.kind == "question"), None)
    if not documents or question is None:
        return {"prompt": text}
    docs = [
        {"title": "" if part.title == f"document {i}" else part.title, "text": text[part.start : part.stop]}
        for i, part in enumerate(documents, 1)
    ]
    return {"question": text[question.start : question.stop], "docs": docs}

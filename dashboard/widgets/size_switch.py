"""Switching between the sizes of a family: the same prompt, the same token, another model."""

import streamlit as st

from dashboard.address.bar import choose, selection, still
from dashboard.database.connection import current
from dashboard.database.queries import answers
from dashboard.database.records import Generation
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters


def choose_size(shown: Generation, siblings: list[Generation]) -> None:
    """One button per size that answered the same prompt; keys [ and ] do the same."""
    if len(siblings) == 1:
        model = shown.model
        render.prose(("fact", [(f"{model.name} · {parameters(model.n_params)}", "muted")]))
        return
    by_model = {each.model.name: each for each in siblings}
    st.session_state["size switch"] = shown.model.name
    st.segmented_control(
        "Model size",
        list(by_model),
        key="size switch",
        format_func=lambda name: render.label(f"{name} · {parameters(by_model[name].model.n_params)}"),
        on_change=still(lambda: _switch(by_model.get(st.session_state["size switch"]))),
        label_visibility="collapsed",
    )


def next_size(step: int) -> None:
    """For callbacks: to the answer of the next larger (+1) or smaller (−1) size."""
    snapshot = current()
    shown = answers.generation(snapshot, selection().generation) or answers.example(snapshot)
    if shown is None:
        return
    siblings = answers.generations_of(snapshot, [shown.prompt_id])[shown.prompt_id]
    ids = [each.generation_id for each in siblings]
    at = ids.index(shown.generation_id) + step
    if 0 <= at < len(ids):
        _switch(siblings[at])


def next_searched_size(step: int) -> None:
    """For callbacks on Corpus: documents as the next larger or smaller size sees them."""
    names = [model.name for model in answers.models(current())]
    at = (names.index(selection().size) if selection().size in names else 0) + step
    if 0 <= at < len(names):
        choose(size=names[at])


def _switch(to: Generation | None) -> None:
    if to is not None:
        choose(generation=to.generation_id, span=selection().span)

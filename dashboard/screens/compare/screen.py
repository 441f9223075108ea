"""Compare: the sizes of a family side by side, word by word, and what changes with size over all prompts."""

import streamlit as st

from dashboard.address.bar import choose, selection, settle, still
from dashboard.database.connection import current
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.size_look import size_looks
from dashboard.screens.compare.across import show_across
from dashboard.screens.compare.asked import show_asked
from dashboard.screens.compare.components import show_components
from dashboard.screens.compare.grid import show_grid
from dashboard.screens.compare.joined import show_depths, show_joined
from dashboard.screens.compare.sheet import compared_sheet
from dashboard.screens.compare.sizes.comparison import answers_in, at
from dashboard.screens.compare.sizes.parts import parts_of
from dashboard.screens.compare.sizes.places import column_of, fork
from dashboard.screens.compare.sizes.read_along import Reader, read_along
from dashboard.screens.compare.spread import show_heat, show_spread
from dashboard.screens.compare.with_size import show_learned, show_trend
from dashboard.widgets.tools import show_tools


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    if chosen.job:
        show_asked(snapshot, chosen)
        return
    found = answers.generation(snapshot, chosen.generation) if chosen.generation else answers.example(snapshot)
    if found is None:
        render.problem("No such answer in this database. Runs lists those that it has.")
        return
    siblings = answers.generations_of(snapshot, [found.prompt_id])[found.prompt_id]
    looks = size_looks(answers.models(snapshot))

    # ask
    answered = answers_in(snapshot, siblings, chosen.unit)
    author = next(each for each in answered if each.generation.generation_id == found.generation_id)
    if chosen.span is None or not chosen.generation:  # opened where the sizes part
        column = fork([each.columns for each in answered])
        column = min(column, max(len(author.columns) - 1, 0))
        span = author.columns[column].span if author.columns else (0, 0)
        chosen = settle(generation=found.generation_id, span=span)
    column = column_of(author.columns, chosen.span[0] if chosen.span else 0)
    readers = read_along(snapshot, found, siblings)
    same = chosen.aligned == "same" and _is_known(readers)
    last = author.columns[column].last if author.columns else 0
    known = {reader.own.generation_id: reader.agrees_until > last for reader in readers} if same else {}
    compared = at(snapshot, answered, column, known)
    parts = parts_of(snapshot, compared, known)

    # show
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _choose_prompt(snapshot, found.prompt_id)
        show_tools(snapshot, compared_sheet(snapshot, compared, parts, chosen), found.model)
    render.turns(answers.turns_of(snapshot, [found.prompt_id])[found.prompt_id])
    show_grid(compared, readers if _is_known(readers) else [], found, chosen, column, looks)
    show_joined(snapshot, compared, same, looks)
    show_spread(snapshot, compared, looks)
    show_depths(compared, looks)
    show_heat(snapshot, compared, looks)
    show_components(snapshot, parts, compared, chosen, looks)
    show_trend(snapshot, compared, looks)
    show_learned(snapshot, chosen)
    show_across(snapshot, chosen)


def _is_known(readers: list[Reader]) -> bool:
    """Whether any size read a text that is not its own."""
    return sum(bool(reader.tokens) for reader in readers) > 1


def _choose_prompt(snapshot: Snapshot, prompt_id: str) -> None:
    prompts = dict(answers.prompts(snapshot, 500))
    st.session_state["compared prompt"] = prompt_id

    def changed() -> None:
        found = answers.generations_of(snapshot, [st.session_state["compared prompt"]])
        for generations in found.values():
            choose(generation=generations[0].generation_id, span=None)

    known = list(prompts) if prompt_id in prompts else [prompt_id, *prompts]
    st.selectbox(
        "Prompt",
        known,
        key="compared prompt",
        format_func=lambda each: render.option(prompts.get(each, each)),
        on_change=still(changed),
        label_visibility="collapsed",
    )

"""Compare: the sizes of a family side by side, token by token, and what changes with size over all prompts."""

import streamlit as st

from dashboard.address.bar import choose, selection, settle, still
from dashboard.database.connection import current
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.screens.compare.across import show_across
from dashboard.screens.compare.asked import show_asked
from dashboard.screens.compare.comparison import compare
from dashboard.screens.compare.components import show_components
from dashboard.screens.compare.grid import show_grid
from dashboard.screens.compare.joined import show_depths, show_joined
from dashboard.screens.compare.parts import parts_of
from dashboard.screens.compare.read_along import Reader, read_along
from dashboard.screens.compare.sheet import compared_sheet
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
    if not chosen.generation:
        chosen = settle(generation=found.generation_id, span=(0, 0))
    position = chosen.span[0] if chosen.span else 0

    # ask
    siblings = answers.generations_of(snapshot, [found.prompt_id])[found.prompt_id]
    readers = read_along(snapshot, found, siblings)
    same = chosen.aligned == "same" and _is_known(readers)
    known = {reader.own.generation_id: reader.agrees_until > position for reader in readers}
    compared = compare(snapshot, siblings, position, known if same else {})
    parts = parts_of(snapshot, compared, position, known if same else {})

    # show
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _choose_prompt(snapshot, found.prompt_id)
        show_tools(snapshot, compared_sheet(snapshot, compared, parts, chosen, position), found.model)
    render.turns(answers.turns_of(snapshot, [found.prompt_id])[found.prompt_id])
    show_grid(compared, readers if _is_known(readers) else [], found, chosen, position)
    show_joined(snapshot, compared, position, same)
    show_depths(snapshot, compared, position)
    show_components(snapshot, parts, position, chosen)
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
            choose(generation=generations[0].generation_id, span=(0, 0))

    known = list(prompts) if prompt_id in prompts else [prompt_id, *prompts]
    st.selectbox(
        "Prompt",
        known,
        key="compared prompt",
        format_func=lambda each: render.option(prompts.get(each, each)),
        on_change=still(changed),
        label_visibility="collapsed",
    )

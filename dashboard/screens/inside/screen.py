"""Inside: which heads and neurons make the chosen tokens, what they read and write, and which documents taught them."""

import streamlit as st

from dashboard.address.bar import selection, settle
from dashboard.address.selection import Selection
from dashboard.database.components.name import component_named
from dashboard.database.components.records import Split
from dashboard.database.connection import current
from dashboard.database.kept.answer import KeptAnswer, StoredAnswer
from dashboard.database.queries import answers, inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.unit import shown_layers
from dashboard.drawing import render
from dashboard.screens.inside.component_page import show_chosen, show_everywhere
from dashboard.screens.inside.grid import show_grid
from dashboard.screens.inside.lens import show_lens
from dashboard.screens.inside.neurons import show_agreement, show_neurons
from dashboard.screens.inside.sheet import inside_sheet
from dashboard.screens.inside.strip import show_strip
from dashboard.screens.inside.view import View, view
from dashboard.widgets.asked_answer import asked_answer, explain_absence
from dashboard.widgets.heading import panel
from dashboard.widgets.layer_bars import show_bars
from dashboard.widgets.tools import show_tools


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    if chosen.job:
        if (asked := asked_answer(snapshot, chosen.job)) is not None:
            _show(snapshot, asked, chosen)
        return
    found = answers.generation(snapshot, chosen.generation) if chosen.generation else answers.example(snapshot)
    if found is None:
        explain_absence(chosen.generation)
        return
    if not chosen.generation:  # an address that names a component only opens it on the example
        chosen = settle(generation=found.generation_id, span=(0, 0), component=chosen.component)
    run_id = chosen.run or inside.split_run(snapshot, found.model.model_id)  # not every estimator is split
    _show(snapshot, StoredAnswer(snapshot, found, run_id), chosen)


def _show(snapshot: Snapshot, answer: KeptAnswer, chosen: Selection) -> None:
    # ask
    found = view(snapshot, chosen, answer)

    # show
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_tools(snapshot, inside_sheet(snapshot, found, chosen), found.generation.model)
    with st.container(border=True, key="answer"):
        show_strip(found)
    if chosen.span and found.whole:
        st.caption("The address names a token that this answer does not have; the whole answer is shown.")
    if found.split is None or not found.split.known:
        _explain_no_parts(found)
        return
    if found.split.notice:
        render.prose(("note", f"Notice: {found.split.notice}."))
    if chosen.component and found.component is None:
        render.problem(no_such_component(chosen.component, found.split, found.generation.model.name))
    main, side = st.columns([5, 3], gap="large")
    with main:
        show_grid(found, found.split, chosen)
        if found.component:
            show_chosen(snapshot, found, found.component, chosen)
        else:
            show_agreement(found)
    with side:
        show_neurons(found, chosen)
        show_lens(snapshot, found)
    if found.component:
        show_everywhere(snapshot, found, found.component)
        show_agreement(found)


def no_such_component(key: str, split: Split, model: str) -> str:
    """One line about an address that names no part of this model."""
    component = component_named(key)
    if component is None:
        return f"Expected a part such as head:1.0 or neuron:1.20 in the address, found {key}; choose one in the grid."
    what = {"head": "heads", "kv_head": "key–value heads", "neuron": "neurons"}[component.kind]
    return (
        f"Expected a part of {model}, which has {split.n_blocks} blocks of {split.width(component.kind):,} {what}, "
        f"counted from 0; found {component.name}. Choose one in the grid."
    )


def _explain_no_parts(found: View) -> None:
    """What is not computed, how to compute it, and the layers, which are."""
    main, side = st.columns([5, 3], gap="large")
    with main:
        panel("Heads and neurons", "What each part of the model adds to the chosen tokens: not what the part is for.")
        if found.split is not None:
            render.prose(("fact", f"{found.generation.model.name} is shown by layers only: {found.split.notice}"))
        else:
            render.prose(
                ("fact", "Heads and neurons are not computed in this database: it was built without [inside]."),
                ("note", "A build with it adds them; what is stored already stays."),
                ("command", "whence build CONFIG"),
            )
    amounts = shown_layers(found.helpful, found.unit)
    if found.groups and len(amounts) == sum(len(group.members) for group in found.groups):
        with side:
            panel("Layers", "Which weights the influence passes through: not where the model keeps the fact.")
            st.caption(f"Of the most helpful documents of the chosen tokens: {len(found.helpful):,}.")
            show_bars(found.groups, amounts, key="layers inside", unit=found.unit.name)

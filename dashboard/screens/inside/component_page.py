"""The page of one head or neuron: what it reads, writes, and was taught by, and the answers in which it matters."""

import streamlit as st

from dashboard.address.bar import choose, open_screen
from dashboard.address.selection import Selection
from dashboard.database.components.name import Component
from dashboard.database.queries import components
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Piece
from dashboard.drawing.visible import one_line, visible_token
from dashboard.screens.inside import charts
from dashboard.screens.inside.component_cards import context_cards, teacher_cards, through_cards
from dashboard.screens.inside.view import View
from dashboard.widgets.answer_cards import answer_cards
from dashboard.widgets.heading import panel

EACH = 5  # documents or answers of a list
CONTEXTS = 8
SAID = {"total": "total", "direct": "direct", "measured": "measured", "taught": "training influence"}


def show_chosen(snapshot: Snapshot, found: View, component: Component, chosen: Selection) -> None:
    """What it does in the chosen tokens, and the documents that taught it that."""
    panel("The chosen part", "What it does in the chosen tokens: not the only part that does so.")
    render.prose(("title", f"{component.name[:1].upper()}{component.name[1:]} of {found.generation.model.name}"))
    if said := _amounts(found, component):
        render.prose(("fact", said))
    st.button("Close it", on_click=lambda: choose(component=""), type="tertiary", icon=":material/close:")
    _show_taught_here(snapshot, found, component, chosen)


def show_everywhere(snapshot: Snapshot, found: View, component: Component) -> None:
    """What it does over the corpus and over all answers."""
    left, right = st.columns(2, gap="large")
    with left:
        _show_read(snapshot, found, component)
        _show_written(snapshot, found, component)
    with right:
        _show_taught(snapshot, found, component)
        _show_answers(snapshot, found, component)


def _amounts(found: View, component: Component) -> str:
    """Every effect that is known of it, in the chosen tokens."""
    known = [
        (name, each.parts[component], each.unit) for name, each in found.amounts.items() if component in each.parts
    ]
    said = [f"{SAID[name]} {signed(value, decimals([value]))} {unit}" for name, value, unit in known]
    return f"In the chosen tokens: {', '.join(said)}." if said else ""


def _show_written(snapshot: Snapshot, found: View, component: Component) -> None:
    spoken = found.spoken.get(component)
    counted = components.activations(snapshot, found.generation.model.model_id, component)
    if spoken is None and counted is None:
        return
    panel("What it writes", "Logits that its output adds for one unit of its activation: not how often it is active.")
    if spoken is not None:
        render.prose(
            ("fact", _tokens("Promotes ", spoken.promoted, spoken.promoted_by, "warm")),
            ("fact", _tokens("Suppresses ", spoken.suppressed, spoken.suppressed_by, "cool")),
        )
    if counted is not None:
        st.caption("How strong it is over the tokens of the corpus.")
        render.chart(charts.activations(counted), key=f"activations {component.key}")


def _tokens(first: str, words: list[str], by: list[float], hue: str) -> list[Piece]:
    places = decimals(by)
    pieces: list[Piece] = [(first, "muted")]
    for word, value in zip(words, by, strict=False):
        pieces += [(f"“{one_line(visible_token(word))}”", "serif"), (f" {signed(value, places)}   ", hue)]
    return pieces


def _show_taught_here(snapshot: Snapshot, found: View, component: Component, chosen: Selection) -> None:
    panel(
        "Documents by what passes through it",
        "Training influence on the chosen tokens through the weights of this part: not all that the document did.",
    )
    cards = through_cards(snapshot, found, EACH)
    if not cards:
        st.caption("No document is kept with a score through it for these tokens: unknown, not zero.")
        return
    render.document_list(
        cards,
        key=f"through {component.key}",
        about="Training documents, by what passes through the chosen part",
        selected=chosen.document,
        diverging=True,
        on_document=lambda document_id: choose(document=document_id),
        on_page=lambda document_id: open_screen("corpus", document=document_id),
    )


def _show_read(snapshot: Snapshot, found: View, component: Component) -> None:
    contexts = components.contexts(snapshot, found.generation.model.model_id, component)[:CONTEXTS]
    if not contexts:
        return
    panel(
        "What it reads",
        "Training contexts in which it is strongest, each of another document: not all in which it acts.",
    )
    if component.kind == "neuron":
        st.caption("Marked: the token at which its activation is largest.")
    elif found.attention:
        st.caption("Marked: the token at which its output is largest. What it attends to is shaded in the strip above.")
    else:
        st.caption("Marked: the token at which its output is largest. What it attends to is not kept for these tokens.")
    render.document_list(
        context_cards(snapshot, contexts, found.generation.model.tokenizer_id, component.kind),
        key=f"contexts {component.key}",
        about="Training contexts in which it is strongest",
        on_document=lambda document_id: open_screen("corpus", document=document_id),
    )


def _show_taught(snapshot: Snapshot, found: View, component: Component) -> None:
    run_id = found.run.run_id if found.run else ""
    teachers = components.teachers(snapshot, run_id, component, EACH)
    if not teachers:
        return
    panel("What taught it", "Sums over all stored answers: not over all documents, for most are not kept.")
    st.caption("By the sum of the sizes of what passes through it; the number is the sum with its signs.")
    render.document_list(
        teacher_cards(snapshot, teachers),
        key=f"teachers {component.key}",
        about="Documents that trained it most",
        on_document=lambda document_id: open_screen("corpus", document=document_id),
    )


def _show_answers(snapshot: Snapshot, found: View, component: Component) -> None:
    model = found.generation.model
    mattered = components.mattered(snapshot, model.model_id, component, EACH)
    if not mattered:
        return
    panel("Answers in which it matters", "Its largest total effects on stored tokens, to first order: not measured.")
    cards = answer_cards(mattered, [each.effect for each in mattered], model.name)

    def opened(name: str) -> None:
        generation_id, _, position = name.partition(" ")
        if position:  # else none of these cards
            place = int(position)
            choose(generation=generation_id, span=(place, place), component=component.key)

    render.document_list(cards, key=f"answers {component.key}", about="Answers in which it matters", on_document=opened)

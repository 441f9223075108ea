"""What drives a word over all answers in which one size writes it: documents, and whole groups of them."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.address.selection import UNFILTERED
from dashboard.database.group_records import NO_VALUE, Group
from dashboard.database.method_names import method_name
from dashboard.database.queries.written.words import WORD
from dashboard.database.whole_words import pieces_of
from dashboard.drawing import render
from dashboard.drawing.document_text import shown
from dashboard.drawing.numbers import counted, signed
from dashboard.drawing.shapes import Bar, Card, Heated
from dashboard.screens.tokens.view import View, helpful
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from dashboard.widgets.scored_card import lost

MOST = 12  # bars
PASSAGE = 300  # characters of a document


def show_documents(found: View) -> None:
    """Those that help it most, in the size that is shown."""
    panel(
        "Training documents behind it",
        "Sums over the places where it is written, of the scores that were kept: a document that was not scored at one "
        "is unknown there.",
    )
    of = found.shown
    known = {each.model.name: each.model.name for each in found.sizes if each.drivers}
    if of is None or not known:
        render.prose(("note", _why_nothing(found)))
        return
    if len(known) > 1:
        controls.switch("size", known, shown=of.model.name if of.model.name in known else "")
    listed = helpful(of)
    if not listed:
        st.caption("This size does not write it where it was explained, or no document helps it there.")
        return
    top = listed[0].score
    cards = []
    for each in listed:
        document = found.documents.get(each.document_id) or lost(each.document_id)
        pieces = [Heated(text, "mark" if marked else None) for text, marked in pieces_of(document.text, found.token)]
        text = shown(pieces, PASSAGE)
        cards.append(
            Card(
                document_id=each.document_id,
                title=document.title,
                where=document.where,
                pieces=text.pieces,
                score=signed(100 * each.score / top, 1),
                unit="%",
                hue="warm",
                bar=each.score / top,
                facts=_facts(found, each.n_places, len(of.places)),
                before=text.before,
                after=text.after,
            )
        )
    render.document_list(
        cards,
        key=f"documents of a word {of.model.name}",
        about="Training documents behind the word, strongest first",
        on_document=lambda document_id: open_screen("corpus", document=document_id),
    )
    by = method_name(of.run.method) if of.run else ""
    render.prose(("note", f"{of.model.name}, by {by}. Percent of the strongest document of this list."))


def _facts(found: View, n_places: int, of_places: int) -> str:
    known = "known for" if found.unit == WORD else "among the ten best of"
    return f"{known} {n_places:,} of {counted(of_places, 'place')}"


def _why_nothing(found: View) -> str:
    if not any(each.n_times for each in found.sizes):
        return "No size writes it."
    if found.unit == WORD:
        return "Nowhere is it a word of its own that documents were scored for. Look for the token instead."
    return "No document was scored for it."


def show_groups(found: View) -> None:
    """Bars of whole groups in the size that is shown, as shares of the strongest."""
    panel(
        "Whole groups behind it",
        "All documents of a group together, over the places where it is written: not a count of its texts.",
    )
    of = found.shown
    if of is None or not of.groups:
        st.caption("Whole groups are not known for it.")
        return
    largest = max(abs(each.score) for each in of.groups) or 1.0
    kept = sorted(of.groups, key=lambda each: -abs(each.score))[:MOST]
    bars = [
        Bar(each.value, each.value or NO_VALUE, each.score / largest, f"{signed(100 * each.score / largest, 1)} %")
        for each in of.groups
        if each in kept
    ]
    render.bar_list(
        bars,
        key=f"groups of a word {of.model.name} {found.column}",
        about=f"Influence of whole groups by {found.column} on the word, percent of the strongest",
        legend=[("warm", "towards it"), ("cool", "away from it")],
        on_bar=partial(_answers_that_owe, found, {each.value: each.score for each in of.groups}),
    )
    said = f"{of.model.name}, percent of the strongest group."
    render.prose(("note", said if len(kept) == len(of.groups) else f"{said} {MOST} of {len(of.groups):,} groups."))


def _answers_that_owe(found: View, scores: Mapping[str, float], value: str) -> None:
    """Those in which it is written, by what the group does to it: helped most, or hurt most."""
    side = "towards" if scores[value] >= 0 else "away"
    key = Group(found.column, value, 0).key
    looked_for = {"token": found.token, "match": found.match, "within": "answers"}
    open_screen("runs", **UNFILTERED | looked_for | {"group": key, "tail": side})

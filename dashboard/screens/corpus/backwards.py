"""A document's questions backwards: the answers that it helped and hurt most, by word, in every size."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.address.choices import UNITS
from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents, influence, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.sets import set_unit
from dashboard.database.ranking import among_random
from dashboard.database.records import Model, Run
from dashboard.database.set_records import SetEffect
from dashboard.database.span_records import SwayedSpan
from dashboard.database.unit import NO_SLOPE, on_each
from dashboard.drawing import render
from dashboard.drawing.shapes import Card
from dashboard.widgets import controls
from dashboard.widgets.answer_cards import answer_cards
from dashboard.widgets.heading import panel

EACH = 3  # answers at either end, in each size
NONE = {
    "towards": "It helps nothing for which it was kept, in any size.",
    "away": "It hurts nothing for which it was kept, in any size.",
}
ENDS = {"towards": "Helps most, in each size", "away": "Hurts most, in each size"}


def show_backwards(snapshot: Snapshot, document_id: str, chosen: Selection) -> None:
    """The answers at either end, in each size that has a run."""
    panel(
        "Answers that it sways",
        "Only words for which this document was scored and kept: for all others its influence is unknown, not zero.",
    )
    unit = unit_of(snapshot, chosen)
    known = {each: UNITS[each] for each in documents.sway_units(snapshot)}
    if len(known) > 1:
        controls.switch("unit", known, shown=unit)
    ends: dict[str, list[Card]] = {}
    for side in ENDS:
        cards = []
        for model, run in sizes(snapshot):
            found = documents.swayed(snapshot, run.run_id, document_id, unit, side, EACH)
            facts = [_facts(each, unit) for each in found]
            calibration = influence.calibration(snapshot, run.run_id)
            amounts, name = on_each(calibration, [(each.score, each.logp) for each in found])
            cards += answer_cards(found, amounts, model.name, facts, whole=unit == "answer", unit=name)
        ends[side] = cards
    if not any(ends.values()):
        st.caption("It was kept for no answer of this database.")
        return
    for side, cards in ends.items():
        st.caption(ENDS[side] if cards else NONE[side])
        if cards:
            render.document_list(
                cards, key=f"{side} {unit} {document_id}", about="Answers", on_document=partial(_opened, document_id)
            )
    if any(influence.calibration(snapshot, run.run_id) is None for _, run in sizes(snapshot)):
        render.prose(("note", f"Percent of the strongest answer of a size. {NO_SLOPE}"))


def unit_of(snapshot: Snapshot, chosen: Selection) -> str:
    """Word, answer or token: what was chosen, where the database has it."""
    known = documents.sway_units(snapshot)
    return chosen.unit if chosen.unit in known else known[0]


def sizes(snapshot: Snapshot) -> list[tuple[Model, Run]]:
    """Every model that has a run, with the one that agrees best with retraining."""
    found = [(model, answers.best_first(snapshot, model.model_id)) for model in answers.models(snapshot)]
    return [(model, runs[0]) for model, runs in found if runs]


def _facts(each: SwayedSpan, unit: str) -> str:
    said = [f"rank {each.rank:,} of {each.n_scored:,}"] if each.rank else []
    if unit != "answer":
        said.append(f"kept for {each.n_known:,} {unit}{'s' * (each.n_known != 1)}")
    return " · ".join(said)


def _opened(document_id: str, name: str) -> None:
    """name: an answer and its tokens, as a card has it."""
    generation_id, _, place = name.partition(" ")
    first, _, last = place.partition("-")
    if first:
        span = (int(first), int(last or first))
        open_screen("explain", generation=generation_id, span=span, document=document_id)


def show_set_effects(snapshot: Snapshot, document_id: str) -> None:
    """What it does to target sets, of those for which it was scored exactly; nothing where there are none."""
    found = sets.set_effects(snapshot, document_id)
    if not found:
        return
    panel("Target sets", "Its influence on whole sets of prompts: not on every prompt of them.")
    render.table(pd.DataFrame([_effect(snapshot, each) for each in found]), height="content")


def _effect(snapshot: Snapshot, each: SetEffect) -> dict[str, object]:
    unit = set_unit(snapshot, each)
    return {
        "Set": each.name,
        "Size": each.model,
        "Change, nats": None if unit.slope is None else unit.shown(each.score),
        "Rank": each.rank,
        "Of": each.n_documents,
        "Among random documents": among_random(each.score, each.null_scores),
    }

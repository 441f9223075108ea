"""A set in every size of the database, side by side: what it is worth to each, and which documents they share."""

import math
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.database.queries import answers, documents, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.set_records import SetTarget
from dashboard.drawing import render
from dashboard.drawing.document_text import shown
from dashboard.drawing.numbers import percent, plain, signed
from dashboard.drawing.shapes import Heated, JoinedRow
from dashboard.drawing.size_look import UNKNOWN, size_looks
from dashboard.screens.sets.curve import at_share, carried, curve_chart, help_of, n_helpful, point_of
from dashboard.screens.sets.view import View
from dashboard.widgets.heading import panel

TOP, MOST = 10, 12  # documents of a size, rows of the table
PASSAGE = 200  # characters of a document
NOT_TOP = "not in its ten"
FIRST = 0.1  # of the documents, where no other point is clicked


def show_curve(snapshot: Snapshot, found: View) -> None:
    """One line for each size, and in words the point that was clicked; how to keep those documents."""
    panel(
        "Influence over the ranked corpus",
        "Estimates of the gradient index for all documents: not the exact scores of the few that are listed.",
    )
    if not any(help_of(curve) for _, curve in found.curves):
        st.caption("No document is estimated to help this set.")
        return
    looks = size_looks(answers.models(snapshot))
    clicked = render.chart(curve_chart(found.curves, looks), key=f"curve {found.target.name}")
    point = point_of(found.curves, clicked)
    first = [(each, curve, at_share(curve, each.n_documents, FIRST)) for each, curve in found.curves]
    points = [point] if point else first
    share = points[0][2].place / max(points[0][0].n_documents, 1) if point else FIRST
    render.prose(
        *[("note", [(each.model, "strong"), (f": {carried(each, curve, at)}", "")]) for each, curve, at in points],
        ("note", "To write the documents of one end to a file:"),
        ("command", f"whence select CONFIG --target {found.target.name} --keep {100 * share:.3g}%"),
    )


def show_sizes(snapshot: Snapshot, found: View) -> None:
    """One row a size, then their ten most helpful documents, joined."""
    if len(found.sizes) < 2:
        return
    panel(
        "Sizes side by side",
        "Ranks, and shares of each size's ten: not amounts, for raw influences of two sizes are not on one scale.",
    )
    render.table(pd.DataFrame([_row(each, found) for each in found.sizes]), height="content")
    ranked = sets.set_ranks(snapshot, found.target.name, [each.run_id for each in found.sizes], TOP)
    rows = joined_rows(snapshot, found.sizes, ranked)
    looks = size_looks(answers.models(snapshot))
    if rows:
        render.join_table(
            rows,
            {each.model: looks.get(each.model, UNKNOWN).colour for each in found.sizes},
            key="sets joined",
            on_document=partial(_open),
        )


def joined_rows(
    snapshot: Snapshot, sizes: Sequence[SetTarget], ranked: Sequence[tuple[str, str, float]]
) -> list[JoinedRow]:
    """The documents that most sizes share first, then by their best place. ranked: of `set_ranks`."""
    of_run: dict[str, dict[str, tuple[int, float]]] = {each.run_id: {} for each in sizes}
    for run_id, document_id, score in ranked:
        of_run[run_id][document_id] = (len(of_run[run_id]) + 1, score)
    totals = {run_id: sum(score for _, score in of.values()) or 1.0 for run_id, of in of_run.items()}
    places: dict[str, list[int]] = {}
    for of in of_run.values():
        for document_id, (rank, _) in of.items():
            places.setdefault(document_id, []).append(rank)
    ids = sorted(places, key=lambda each: (-len(places[each]), min(places[each]), each))[:MOST]
    found = documents.documents(snapshot, ids)
    return [
        JoinedRow(
            found[each],
            shown([Heated(found[each].text)], PASSAGE).words,
            [
                (of_run[size.run_id][each][0], of_run[size.run_id][each][1] / totals[size.run_id])
                if each in of_run[size.run_id]
                else NOT_TOP
                for size in sizes
            ],
        )
        for each in ids
        if each in found
    ]


def _row(each: SetTarget, found: View) -> dict[str, object]:
    curve = next((of for target, of in found.curves if target.run_id == each.run_id), [])
    helpful = percent(n_helpful(curve) / max(each.n_documents, 1)) if curve else "—"
    agree = plain(each.rank_correlation)
    value = {"Mean log p, less that against": signed(each.value, 3)}
    if not each.against:
        chance = percent(math.exp(each.value)) if math.isfinite(each.value) else "—"
        value = {"Mean log p of a token": signed(each.value, 3), "Probability": chance}
    return {
        "Size": each.model,
        **value,
        "Documents that help": helpful,
        "Scored exactly": each.n_scored,
        "Rank correlation of the estimates": agree,
    }


def _open(document_id: str) -> None:
    open_screen("corpus", document=document_id)

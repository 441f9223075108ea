"""Whole groups of documents as bars, a column at a time: sources, topics, whatever the build grouped by."""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.database.group_records import GroupScore
from dashboard.database.unit import Unit
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Bar
from dashboard.drawing.visible import visible
from dashboard.widgets import controls

MOST = 12  # bars; of more groups those with the largest influence either way
LONGEST_NAME = 48  # characters
NOT_COMPUTED = "Whole groups are not computed in this database; a build with [groups] adds them."
FILTERS = ("source", "topic")  # columns by which Corpus can be filtered


def show_groups(
    groups: Sequence[GroupScore],
    column: str,
    *,
    key: str,
    unit: Unit,
    on_group: Callable[[str, str], None] | None = None,
    only: Sequence[str] | None = FILTERS,
) -> None:
    """One bar a group, the most helpful above, and what the whole corpus does. column: the one that is wanted;
    on_group hears (column, value) of a group with a value by one of `only` these columns; None: of every group."""
    groups = unit.groups(groups)
    columns = list(dict.fromkeys(each.column_name for each in groups if each.column_name))
    if not columns:
        st.caption(NOT_COMPUTED)
        return
    shown = column if column in columns else columns[0]
    if len(columns) > 1:
        controls.one_of("column", {each: f"By {render.option(each)}" for each in columns}, quiet=True, shown=shown)
    rows = [each for each in groups if each.column_name == shown]
    kept = sorted(rows, key=lambda each: -abs(each.score))[:MOST]
    bars = group_bars([each for each in rows if each in kept])
    of_key = {str(i): each for i, each in enumerate(each for each in rows if each in kept)}
    clickable = on_group is not None and (only is None or shown in only)

    def clicked(place: str) -> None:
        if on_group is not None and (only is None or of_key[place].value):
            on_group(shown, of_key[place].value)

    render.bar_list(
        bars,
        key=f"{key} {shown}",
        about=f"Influence of whole groups by {shown}, {len(bars)} bars in {unit.name}",
        legend=[("warm", "towards it"), ("cool", "away from it")],
        on_bar=clicked if clickable else None,
    )
    said = []
    if len(rows) > MOST:
        said.append(f"The {MOST} of {len(rows):,} groups with the largest influence either way.")
    whole = [each for each in groups if not each.column_name]
    if whole:
        total = sum(each.score for each in whole)
        amount = f"{signed(total, decimals([total]))} {unit.name}"
        if unit.slope is None:
            amount = "they push towards it" if total > 0 else "they push away from it"
        said.append(
            f"All documents together: {amount}. It would be zero if training had ended at a minimum of its loss."
        )
        if unit.slope is None:
            said.append(f"Percent of the strongest group. {unit.why}")
    if any(each.error is not None for each in kept):
        said.append("± is a standard error: the gradient index estimated these groups.")
    if said:
        render.prose(("note", " ".join(said)))


def group_bars(rows: Sequence[GroupScore]) -> list[Bar]:
    """In the order of the rows; the key of a bar is its place among them."""
    places = decimals([each.score for each in rows])
    several = len({each.corpus for each in rows}) > 1
    return [Bar(str(i), _name(each, several), each.score, said(each, places)) for i, each in enumerate(rows)]


def said(group: GroupScore, places: int) -> str:
    """+0.41 ± 0.02 · 30 documents"""
    error = "" if group.error is None else f" ± {group.error:.{min(places, 6)}f}"
    count = f" · {group.n_documents:,} document{'s' * (group.n_documents != 1)}" if group.n_documents else ""
    return f"{signed(group.score, places)}{error}{count}"


def _name(group: GroupScore, several: bool) -> str:
    """several: whether there are groups of more than one corpus."""
    name = f"{group.name} · {group.corpus}" if several and group.corpus else group.name
    shown = visible(name[:LONGEST_NAME])
    return f"{shown}…" if len(name) > LONGEST_NAME else shown

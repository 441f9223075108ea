"""Whole sources and topics: what all of their documents do to the chosen tokens, scored one by one or not."""

from dashboard.address.bar import open_screen
from dashboard.address.selection import UNFILTERED, Selection
from dashboard.database.group_records import Group
from dashboard.database.method_names import method_name
from dashboard.drawing import render
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.group_bars import show_groups
from dashboard.widgets.heading import panel


def show_sources(found: Explanation, selection: Selection) -> None:
    """A bar a group; one that is clicked leads to the answers that owe most to it, or that it hurts most."""
    if selection.job and not found.whole_groups:
        return  # of a new prompt they come last
    panel(
        "Sources and topics",
        "All documents of a group together, where helpful and harmful ones cancel: not the sum of the list.",
    )

    if found.of_groups is not None and found.whole_groups:
        render.prose(("note", f"Estimator: {method_name(found.of_groups.method)}, the only one that groups are of."))

    def answers_of(column: str, value: str) -> None:
        score = sum(each.score for each in found.whole_groups if (each.column_name, each.value) == (column, value))
        side = "towards" if score >= 0 else "away"
        open_screen("runs", **UNFILTERED | {"group": Group(column, value, 0).key, "tail": side})

    show_groups(
        found.whole_groups, selection.column, key="groups", unit=found.group_unit, on_group=answers_of, only=None
    )

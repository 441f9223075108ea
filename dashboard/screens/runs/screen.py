"""Runs: every prompt, and what each size wrote after it."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.address.bar import choose, open_screen, selection
from dashboard.address.selection import UNFILTERED, Selection
from dashboard.database.connection import current
from dashboard.database.group_records import Owed, moved
from dashboard.database.queries import answers, filters
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.database.unit import slope_of, without_slope
from dashboard.drawing import render
from dashboard.drawing.numbers import counted
from dashboard.screens.runs.asked_here import show_asked
from dashboard.screens.runs.choosing import arrange_by, arranged_size, choose_filters
from dashboard.screens.runs.passing import passing
from dashboard.screens.runs.rows import Page, page_of, prompt_rows
from dashboard.screens.runs.sheet import runs_sheet
from dashboard.widgets.tools import show_tools

PER_PAGE = 30
READING = (
    "✓ and ✗ compare an answer with the one that the prompt file expects, which is not a proof of truth. "
    "← names the document that helps the whole answer most, among those that were scored for it. “Of its bits from the "
    "prompt” is how much less surprising the prompt made the answer: at 100 % nothing is left to guess, at 0 % the "
    "prompt did not help. An answer in grey does not pass the filters itself. Open an answer to see why."
)
OWING = (
    "Answers come by what they owe to the chosen group: the influence of all of its documents together, with its "
    "place among the groups and the word that it moves most. An answer opens at that word."
)


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    models = answers.models(snapshot)
    choose_filters(snapshot, models, chosen)
    shown = [m for m in models if chosen.size in ("", m.name) and chosen.family in ("", m.family)]

    # ask
    of_size = arranged_size(shown, chosen)
    found = passing(snapshot, chosen, of_size)
    n_pages = max(1, -(-len(found) // PER_PAGE))
    number = min(chosen.page or 1, n_pages)
    page = page_of(snapshot, list(found)[(number - 1) * PER_PAGE : number * PER_PAGE], chosen.group)

    # shape
    rows = prompt_rows(page, shown, found, chosen)

    # show
    show_asked(snapshot, chosen)
    if not rows:
        _explain_empty(snapshot, chosen)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _show_count(snapshot, found, chosen, f", page {number:,} of {n_pages:,}" if n_pages > 1 else "")
        show_tools(snapshot, runs_sheet(snapshot, found, chosen), None)
    st.caption(READING)
    if chosen.group:
        st.caption(OWING)
    _explain_slopes(snapshot, page, shown)
    column = {"": None, "prompt": ("", chosen.turned == "yes")}
    render.prompt_table(
        rows,
        key="runs",
        arranged=column.get(chosen.arranged, (of_size, chosen.turned == "yes")),
        on_generation=lambda each: _open(each, page.debts.get(each), chosen.tail),
        on_column=arrange_by,
    )
    if n_pages > 1:
        key = f"runs page {number} of {n_pages}"
        st.pagination(n_pages, default=number, key=key, on_change=lambda: choose(page=st.session_state[key]))


def _show_count(snapshot: Snapshot, found: Mapping[str, Sequence[str]], chosen: Selection, page: str) -> None:
    """Prompts, answers that pass, and how often what is looked for stands in them."""
    ids = [each for of in found.values() for each in of]
    said = f"{counted(len(found), 'prompt')}, {counted(len(ids), 'answer')}{page}."
    if not chosen.token.strip():
        render.prose(("note", said))
        return
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        if chosen.within == "answers":
            times = counted(filters.count_matches(snapshot, chosen.token, chosen.match, ids), "time")
            said = f"{said} “{chosen.token.strip()}” stands in them {times}."
        render.prose(("note", said))
        if chosen.match in ("word", "literal"):
            st.button(
                render.label(f"All about “{chosen.token.strip()}”"),
                on_click=lambda: open_screen("tokens"),
                type="tertiary",
                icon=":material/match_word:",
            )


def _explain_slopes(snapshot: Snapshot, page: Page, shown: Sequence[Model]) -> None:
    known = {run for run, of in page.slopes.items() if slope_of(of) is not None}
    unknown = {each.run_id for each in page.best.values()} - known
    if names := [of.name for of in shown if any(run.run_id in unknown for run in answers.runs(snapshot, of.model_id))]:
        render.prose(("note", without_slope(names)))


def _open(generation_id: str, owed: Owed | None, side: str) -> None:
    """The whole answer, or the word of it that the chosen group moves most."""
    span = None
    if owed is not None:
        hurt = moved(owed, side)[1] == owed.hurt_score
        span = (owed.hurt_first, owed.hurt_last) if hurt else (owed.helped_first, owed.helped_last)
    open_screen("explain", generation=generation_id, span=span)


def _explain_empty(snapshot: Snapshot, chosen: Selection) -> None:
    if any(getattr(chosen, name) for name in UNFILTERED):
        render.problem("No answer passes these filters.")
        if not filters.knows(snapshot, chosen.only):
            st.caption("This database does not tell the answers of one of these kinds apart; a new build does.")
        if "most" in chosen.only and not chosen.group:
            st.caption("Choose the group of documents that the answers are to owe most to.")
        st.button("Clear the filters", on_click=lambda: choose(**UNFILTERED))
    else:
        render.problem("This database holds no answers yet.", ("command", "whence build CONFIG"))

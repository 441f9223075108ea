"""The filters of Runs, and by what its rows come."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, selection
from dashboard.address.choices import ARRANGED, KINDS, MATCHES, OWING_SIDES, PLACES
from dashboard.address.selection import Selection
from dashboard.database.group_records import in_words
from dashboard.database.queries import filters, groups
from dashboard.database.queries.passing.arranged import VALUES
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.widgets import controls


def choose_filters(snapshot: Snapshot, models: Sequence[Model], chosen: Selection) -> None:
    """Every filter is a field of the selection, and so of the address."""
    first, second, third, fourth = st.columns([2, 2, 2, 2])
    with first:
        controls.text_field("text")
    with second:
        controls.pick("family", filters.families(snapshot), "all families")
    with third:
        controls.pick("size", [model.name for model in models], "all sizes")
    with fourth:
        controls.pick("topic", filters.prompt_topics(snapshot), "all topics")
    first, second, third, fourth = st.columns([2, 2, 2, 2])
    with first:
        controls.text_field("token")
    with second:
        controls.one_of("match", MATCHES)
    with third:
        controls.one_of("within", PLACES)
    with fourth:
        controls.pick("source", filters.document_sources(snapshot), "best document from any source")
    offered = [each.key for each in groups.groups(snapshot)]
    first, second, third = st.columns([2, 2, 4], vertical_alignment="bottom")
    with first:
        controls.one_of("arranged", ARRANGED)
    if offered or chosen.group:
        with second:
            controls.pick("group", offered, "any group of documents", in_words)
        with third:
            if chosen.group:
                controls.switch("tail", OWING_SIDES)
    controls.several("only", _kinds(snapshot, models, chosen))


def _kinds(snapshot: Snapshot, models: Sequence[Model], chosen: Selection) -> dict[str, str]:
    """Those that the database can tell apart; what the address asks for stays, to be let go."""
    known = {name: said for name, said in KINDS.items() if name in chosen.only or filters.knows(snapshot, [name])}
    if len({each.family for each in models}) == len(models) and "sizes" not in chosen.only:
        known.pop("sizes", None)  # one size of each family disagrees with nobody
    if not filters.several_estimators(snapshot) and "estimators" not in chosen.only:
        known.pop("estimators", None)
    if not chosen.group and "most" not in chosen.only:
        known.pop("most", None)
    return known


def arranged_size(models: Sequence[Model], chosen: Selection) -> str:
    """The size whose answers the rows come by: the first that is shown, where none was chosen."""
    if chosen.arranged not in VALUES:
        return ""
    names = [each.name for each in models]
    return chosen.arranged_size if chosen.arranged_size in names else next(iter(names), "")


def arrange_by(name: str) -> None:
    """For the names of the columns: rows by a size, '' by the prompts; once more turns them round."""
    held = selection()
    measure = (held.arranged if held.arranged in VALUES else "answer") if name else "prompt"
    if held.arranged == measure and held.arranged_size == name:
        choose(turned="no" if held.turned == "yes" else "yes")
    else:
        choose(arranged=measure, arranged_size=name, turned="no")

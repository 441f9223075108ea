"""The selection of Runs as a question."""

from dashboard.address.selection import Selection
from dashboard.database.group_records import named
from dashboard.database.queries.filters import passing_answers
from dashboard.database.queries.rows import Snapshot


def passing(snapshot: Snapshot, chosen: Selection, of_size: str = "") -> dict[str, list[str]]:
    """prompt_id -> its generations that pass. of_size: whose answers the rows come by"""
    if "most" in chosen.only and not chosen.group:
        return {}
    return passing_answers(
        snapshot,
        text=chosen.text,
        token=chosen.token,
        match=chosen.match,
        within=chosen.within,
        size=chosen.size,
        family=chosen.family,
        topic=chosen.topic,
        source=chosen.source,
        only=chosen.only,
        owes=named(chosen.group) if chosen.group else None,
        side=chosen.tail,
        arranged=chosen.arranged,
        arranged_size=of_size,
        turned=chosen.turned == "yes",
    )

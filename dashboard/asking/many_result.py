"""Whole groups of documents and verbatim spans in a result, as the records that stored ones have."""

from collections.abc import Sequence

from dashboard.asking.score_rows import Row
from dashboard.database.group_records import GroupScore
from dashboard.database.span_records import VerbatimSpan


def groups_of(rows: Sequence[Row], first: int, last: int) -> list[GroupScore]:
    """The sums over the tokens first..last, as `queries.groups.answer_groups` gives them; without groups that say
    nothing about some of these tokens."""
    found = [
        GroupScore(
            row["corpus"],
            row["column"],
            row["value"] or "",
            row.get("n_documents") or 0,
            sum(row["score"][first : last + 1]),
            None if row.get("error") is None else sum(row["error"][first : last + 1]),
        )
        for row in rows
        if last < len(row["score"])
    ]
    return sorted(found, key=lambda each: (each.column_name, -each.score, each.corpus, each.value))


def verbatim_of(row: Row) -> VerbatimSpan:
    places = tuple((place["document_id"], place["token_position"]) for place in row.get("places", ()))
    return VerbatimSpan(row["first"], row["last"], row["n_places"], row["n_documents"], places)

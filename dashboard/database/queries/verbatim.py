"""What an answer says word for word as a training text does."""

from dashboard.database.queries.rows import Snapshot, has_table, kept, record
from dashboard.database.span_records import VerbatimSpan


@kept(16)
def verbatim_spans(snapshot: Snapshot, generation_id: str) -> list[VerbatimSpan] | None:
    """The longest spans of an answer that stand in the training texts, in order; None where nothing was looked for."""
    if not has_table(snapshot, "verbatim"):
        return None
    sql = "SELECT first, document_id, token_position FROM verbatim_place WHERE generation_id = ? ORDER BY ALL"
    places: dict[int, list[tuple[str, int]]] = {}
    for row in snapshot.rows(sql, [generation_id]):
        places.setdefault(row["first"], []).append((row["document_id"], row["token_position"]))
    rows = snapshot.rows("SELECT * FROM verbatim WHERE generation_id = ? ORDER BY first", [generation_id])
    return [record(VerbatimSpan, row | {"places": tuple(places.get(row["first"], ()))}) for row in rows]

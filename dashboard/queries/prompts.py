"""What the prompt did: saliency, citations."""

from dashboard.queries.rows import Snapshot


def saliency_methods(snapshot: Snapshot, generation_id: str) -> list[str]:
    sql = "SELECT DISTINCT method FROM saliency WHERE generation_id = ? ORDER BY method"
    return [row["method"] for row in snapshot.rows(sql, [generation_id])]


def saliency(snapshot: Snapshot, generation_id: str, first: int, last: int, method: str) -> dict[int, float]:
    """source_position -> saliency for the tokens first..last, summed."""
    sql = """SELECT source_position, sum(score) AS score FROM saliency
        WHERE generation_id = ? AND position BETWEEN ? AND ? AND method = ? GROUP BY source_position"""
    rows = snapshot.rows(sql, [generation_id, first, last, method])
    return {row["source_position"]: row["score"] for row in rows}

"""Training documents and their tokens."""

from collections.abc import Sequence

from dashboard.queries.rows import Snapshot, record
from dashboard.records import Document


def documents(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, Document]:
    sql = "SELECT document_id, corpus, title, source, topic, text FROM document WHERE list_contains($ids, document_id)"
    return {row["document_id"]: record(Document, row) for row in snapshot.rows(sql, {"ids": list(document_ids)})}


def document_tokens(snapshot: Snapshot, tokenizer_id: str, document_ids: Sequence[str]) -> dict[str, list[str]]:
    """document_id -> its tokens as text, one per position."""
    sql = """SELECT document_id, list(text ORDER BY token_position) AS texts FROM document_token
        WHERE tokenizer_id = $tokenizer AND list_contains($ids, document_id) GROUP BY document_id"""
    rows = snapshot.rows(sql, {"tokenizer": tokenizer_id, "ids": list(document_ids)}) if document_ids else []
    return {row["document_id"]: row["texts"] for row in rows}

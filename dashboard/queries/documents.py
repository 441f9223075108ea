"""Training documents and their tokens."""

from collections.abc import Sequence

from dashboard.queries.rows import Snapshot, record
from dashboard.records import Document, Swayed


def documents(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, Document]:
    sql = "SELECT document_id, corpus, title, source, topic, text FROM document WHERE list_contains($ids, document_id)"
    return {row["document_id"]: record(Document, row) for row in snapshot.rows(sql, {"ids": list(document_ids)})}


def document_tokens(snapshot: Snapshot, tokenizer_id: str, document_ids: Sequence[str]) -> dict[str, list[str]]:
    """document_id -> its tokens as text, one per position."""
    sql = """SELECT document_id, list(text ORDER BY token_position) AS texts FROM document_token
        WHERE tokenizer_id = $tokenizer AND list_contains($ids, document_id) GROUP BY document_id"""
    rows = snapshot.rows(sql, {"tokenizer": tokenizer_id, "ids": list(document_ids)}) if document_ids else []
    return {row["document_id"]: row["texts"] for row in rows}


def document(snapshot: Snapshot, document_id: str) -> Document | None:
    return documents(snapshot, [document_id]).get(document_id)


def most_influential(snapshot: Snapshot, run_id: str, source: str, topic: str, k: int) -> list[tuple[str, int, int]]:
    """(document_id, tokens, answers): the documents that most often stand among the ten most helpful of a token."""
    sql = """SELECT document_id, count(*) AS n_tokens, count(DISTINCT generation_id) AS n_answers
        FROM influence JOIN document USING (document_id)
        WHERE run_id = $run AND rank <= 10 AND ($source = '' OR source = $source) AND ($topic = '' OR topic = $topic)
        GROUP BY document_id ORDER BY n_tokens DESC, n_answers DESC, document_id LIMIT $k"""
    rows = snapshot.rows(sql, {"run": run_id, "source": source, "topic": topic, "k": k})
    return [(row["document_id"], row["n_tokens"], row["n_answers"]) for row in rows]


def some_documents(snapshot: Snapshot, source: str, topic: str, k: int) -> list[str]:
    """Ids of the first documents of a source and a topic."""
    sql = """SELECT document_id FROM document
        WHERE ($source = '' OR source = $source) AND ($topic = '' OR topic = $topic)
        ORDER BY title, document_id LIMIT $k"""
    return [row["document_id"] for row in snapshot.rows(sql, {"source": source, "topic": topic, "k": k})]


def count_documents(snapshot: Snapshot) -> int:
    return int(snapshot.rows("SELECT count(*) AS n FROM document")[0]["n"])


def swayed_tokens(snapshot: Snapshot, run_id: str, document_id: str, most: str, k: int) -> list[Swayed]:
    """The answers that a document pushes most `towards` or `away`, each by its most swayed token; kept pairs only."""
    order, side = ("DESC", ">") if most == "towards" else ("ASC", "<")
    sql = f"""SELECT generation_id, position, score, influence.rank, prompt.text AS prompt, generation.text AS answer,
            token.text AS token, token.start, token.stop
        FROM influence JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        JOIN generation_token AS token USING (generation_id, position)
        WHERE run_id = ? AND document_id = ? AND score {side} 0
        QUALIFY row_number() OVER (PARTITION BY generation_id ORDER BY score {order}) = 1
        ORDER BY score {order}, generation_id, position LIMIT ?"""  # noqa: S608 (words of ours only)
    return [record(Swayed, row) for row in snapshot.rows(sql, [run_id, document_id, k])]


def document_layers(snapshot: Snapshot, run_id: str, document_id: str) -> list[list[float]]:
    """layer_scores of every token for which the document was kept."""
    sql = "SELECT layer_scores FROM influence WHERE run_id = ? AND document_id = ? AND layer_scores IS NOT NULL"
    return [row["layer_scores"] for row in snapshot.rows(sql, [run_id, document_id])]


def self_influence(snapshot: Snapshot, run_id: str, document_id: str) -> tuple[float, float, float] | None:
    """(self-influence in nats, share of documents below it, loss in nats) of one document; None if not stored."""
    sql = """SELECT self_influence, loss, (SELECT avg((other.self_influence < mine.self_influence)::INTEGER)
            FROM self_influence AS other WHERE other.run_id = mine.run_id) AS below
        FROM self_influence AS mine WHERE run_id = ? AND document_id = ?"""
    rows = snapshot.rows(sql, [run_id, document_id])
    if not rows or rows[0]["self_influence"] is None:
        return None
    return rows[0]["self_influence"], rows[0]["below"], rows[0]["loss"]


def summed_heat(snapshot: Snapshot, run_id: str, document_id: str) -> list[float]:
    """[T] sum of the absolute position shares over all tokens of all answers for which they are stored."""
    sql = """SELECT list(total ORDER BY place) AS total FROM (
        SELECT place, sum(abs(share)) AS total
        FROM (SELECT unnest(shares) AS share, generate_subscripts(shares, 1) AS place FROM influence_position
              WHERE run_id = ? AND document_id = ?) GROUP BY place)"""
    rows = snapshot.rows(sql, [run_id, document_id])
    return rows[0]["total"] or []

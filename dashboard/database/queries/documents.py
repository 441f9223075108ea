"""Training documents: their texts and tokens, and what each of them did."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.database.queries.rows import ASKED, Snapshot, among, has_column, has_table, kept, listed, record
from dashboard.database.records import AsRead, AsTrained, StoredDocument
from dashboard.database.span_records import SwayedSpan

_OF = "($source = '' OR source = $source) AND ($topic = '' OR topic = $topic)"


@dataclass(frozen=True)
class Influential:
    """A document that is among the ten most helpful of n_top10 words (or tokens) in n_top10_answers answers. weight:
    the sum over these words of its share in what the ten carry; None where tokens are counted."""

    document_id: str
    n_top10: int
    n_top10_answers: int
    weight: float | None = None

    @property
    def share(self) -> float | None:
        """Of what the ten carry, on average over these words."""
        return None if self.weight is None else self.weight / self.n_top10


@dataclass(frozen=True)
class SourceShare:
    """A source's part in what the ten most helpful documents of every word carry, and how many documents have one."""

    source: str
    share: float
    n_documents: int


@kept(16)
def documents(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, StoredDocument]:
    turns = "turns" if has_column(snapshot, "document", "turns") else "'' AS turns"
    times = "coalesce(times, 1) AS times" if has_column(snapshot, "document", "times") else "1 AS times"
    asked, values = among(document_ids)
    sql = f"""SELECT document_id, corpus, title, source, topic, text, {turns}, {times} FROM document
        WHERE {asked}"""  # noqa: S608 (constants, and question marks)
    return {row["document_id"]: record(StoredDocument, row) for row in snapshot.rows(sql, values)}


def texts(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """document_id -> title and text."""
    asked, values = among(document_ids)
    sql = f"SELECT document_id, coalesce(title, '') AS title, text FROM document WHERE {asked}"  # noqa: S608 (ours)
    return {row["document_id"]: (row["title"], row["text"]) for row in snapshot.rows(sql, values)}


def document_tokens(snapshot: Snapshot, tokenizer_id: str, document_ids: Sequence[str]) -> dict[str, list[str]]:
    """document_id -> its tokens as text, one per position."""
    if not document_ids:
        return {}
    sql = f"""SELECT document_id, list(text ORDER BY token_position) AS texts FROM document_token
        WHERE tokenizer_id = ? AND document_id IN ({listed(document_ids)}) GROUP BY document_id"""  # noqa: S608 (ours)
    return {row["document_id"]: row["texts"] for row in snapshot.rows(sql, [tokenizer_id, *document_ids])}


@kept(16)
def as_read(snapshot: Snapshot, tokenizer_id: str, document_ids: Sequence[str]) -> dict[str, AsRead]:
    """document_id -> how training read it; without those of which it is not known."""
    if not document_ids or not has_column(snapshot, "document_token", "learned"):
        return {}
    names = {"texts": "text", "starts": "start", "stops": "stop", "windows": "read_in", "learned": "learned"}
    lists = ", ".join(f"list({name} ORDER BY token_position) AS {key}" for key, name in names.items())
    asked = listed(document_ids)
    sql = f"""SELECT document_id, {lists} FROM document_token WHERE tokenizer_id = ? AND document_id IN ({asked})
        GROUP BY document_id HAVING count(learned) = count(*)"""  # noqa: S608 (names of ours, and question marks)
    return {row["document_id"]: record(AsRead, row) for row in snapshot.rows(sql, [tokenizer_id, *document_ids])}


def as_trained(snapshot: Snapshot, tokenizer_id: str, document_id: str) -> AsTrained | None:
    """None where it is not known: a build of an earlier Whence did not keep it."""
    if not has_column(snapshot, "document_token", "learned"):
        return None
    sql = """SELECT count(*) AS n_tokens, count(*) FILTER (WHERE learned) AS n_learned, max(read_in) + 1 AS n_windows
        FROM document_token WHERE tokenizer_id = ? AND document_id = ? HAVING count(learned) = count(*)"""
    rows = snapshot.rows(sql, [tokenizer_id, document_id])
    return record(AsTrained, rows[0]) if rows and rows[0]["n_tokens"] else None


def document(snapshot: Snapshot, document_id: str) -> StoredDocument | None:
    return documents(snapshot, [document_id]).get(document_id)


@kept(8)
def by_words(snapshot: Snapshot, run_id: str) -> bool:
    """Whether the words of a run's answers were explained."""
    if not has_table(snapshot, "document_words"):
        return False
    return bool(snapshot.rows("SELECT 1 AS one FROM document_words WHERE run_id = ? LIMIT 1", [run_id]))


def most_influential(snapshot: Snapshot, run_id: str, source: str, topic: str, first: int, k: int) -> list[Influential]:
    """k documents from number `first` on, of a source and a topic ('' for all): those that carry most of words, or are
    most often among the ten most helpful of a token."""
    words = by_words(snapshot, run_id)
    weight, order = ("weight", "weight DESC") if words else ("NULL AS weight", "n_top10 DESC, n_top10_answers DESC")
    table = "document_words" if words else "document_total"
    sql = f"""SELECT document_id, n_top10, n_top10_answers, {weight} FROM {table}
        WHERE run_id = $run AND n_top10 > 0 AND {_OF}
        ORDER BY {order}, document_id LIMIT $k OFFSET $first"""  # noqa: S608 (words of ours)
    values = {"run": run_id, "source": source, "topic": topic, "first": first, "k": k}
    return [record(Influential, row) for row in snapshot.rows(sql, values)]


def count_influential(snapshot: Snapshot, run_id: str, source: str, topic: str) -> int:
    """How many documents `most_influential` orders."""
    table = "document_words" if by_words(snapshot, run_id) else "document_total"
    sql = f"SELECT count(*) AS n FROM {table} WHERE run_id = $run AND n_top10 > 0 AND {_OF}"  # noqa: S608 (ours)
    return int(snapshot.rows(sql, {"run": run_id, "source": source, "topic": topic})[0]["n"])


@kept(8)
def source_shares(snapshot: Snapshot, run_id: str) -> list[SourceShare]:
    """Every source that helps a word, the largest share first; [] where words are not computed."""
    if not by_words(snapshot, run_id):
        return []
    sql = """SELECT source, sum(weight) / sum(sum(weight)) OVER () AS share, count(*) AS n_documents
        FROM document_words WHERE run_id = ? GROUP BY source ORDER BY share DESC, source"""
    return [record(SourceShare, row) for row in snapshot.rows(sql, [run_id])]


def some_documents(snapshot: Snapshot, source: str, topic: str, first: int, k: int) -> list[str]:
    """Ids of k documents of a source and a topic, by their titles, from number `first` on."""
    sql = f"""SELECT document_id FROM document WHERE {_OF}
        ORDER BY title, document_id LIMIT $k OFFSET $first"""  # noqa: S608 (a constant)
    values = {"source": source, "topic": topic, "first": first, "k": k}
    return [row["document_id"] for row in snapshot.rows(sql, values)]


@kept(16)
def count_documents(snapshot: Snapshot, source: str = "", topic: str = "") -> int:
    """How many there are of a source and a topic."""
    sql = f"SELECT count(*) AS n FROM document WHERE {_OF}"  # noqa: S608 (a constant)
    return int(snapshot.rows(sql, {"source": source, "topic": topic})[0]["n"])


_ENDS = {"towards": ("best", "DESC", ">"), "away": ("worst", "ASC", "<")}


@kept(1)
def sway_units(snapshot: Snapshot) -> list[str]:
    """What of an answer can be asked about: words and whole answers only where a build has them."""
    return ["word", "answer", "token"] if has_table(snapshot, "document_span") else ["token"]


def swayed(snapshot: Snapshot, run_id: str, document_id: str, unit: str, most: str, k: int) -> list[SwayedSpan]:
    """The k answers that a document pushes most `towards` or `away`, each by its most swayed word or token, or as a
    whole; of scores that were kept only, strongest first."""
    name, order, side = _ENDS[most]
    values = {"document": document_id, "run": run_id, "k": k}
    if unit == "token":
        sql = f"""SELECT generation_id, moved.{name}_position AS first, moved.{name}_position AS last,
                moved.{name}_score AS score, n_tokens AS n_known, token.logp, {ASKED} AS prompt,
                generation.text AS answer, token.text AS token, token.start, token.stop
            FROM answer_document AS moved JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
            JOIN generation_token AS token USING (generation_id)
            WHERE run_id = $run AND document_id = $document AND token.position = moved.{name}_position
              AND moved.{name}_score {side} 0 ORDER BY score {order}, generation_id LIMIT $k"""  # noqa: S608 (ours only)
        return [record(SwayedSpan, row) for row in snapshot.rows(sql, values)]
    sql = f"""SELECT generation_id, first, last, moved.score, moved.rank, n_scored, n_known, value AS logp,
            {ASKED} AS prompt, generation.text AS answer, span.start, span.stop,
            substr(generation.text, span.start + 1, span.stop - span.start) AS token
        FROM (SELECT run_id, generation_id, {name}_span AS span, {name}_score AS score, {name}_rank AS rank,
                  n_spans AS n_known FROM document_span
              WHERE document_id = $document AND run_id = $run AND kind = $unit AND {name}_score {side} 0
              ORDER BY {name}_score {order}, generation_id LIMIT $k) AS moved
        JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
        JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        ORDER BY moved.score {order}, generation_id"""  # noqa: S608 (words of ours only)
    return [record(SwayedSpan, row) for row in snapshot.rows(sql, values | {"unit": unit})]


def all_swayed(snapshot: Snapshot, run_id: str, document_id: str, unit: str) -> list[SwayedSpan]:
    """Every word, answer or token for which the document's score was kept, the most helped first."""
    if unit == "token":
        sql = f"""SELECT generation_id, position AS first, position AS last, score, rank, n_scored, 1 AS n_known,
                token.logp, {ASKED} AS prompt, generation.text AS answer, token.start, token.stop,
                token.text AS token
            FROM influence SEMI JOIN (SELECT run_id, generation_id FROM answer_document WHERE document_id = $document)
                USING (run_id, generation_id)
            JOIN target USING (run_id, generation_id, position)
            JOIN generation_token AS token USING (generation_id, position)
            JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
            WHERE run_id = $run AND document_id = $document ORDER BY score DESC, generation_id, position"""  # noqa: S608
        rows = snapshot.rows(sql, {"run": run_id, "document": document_id})
    else:
        sql = f"""SELECT generation_id, first, last, score, rank, n_scored, 1 AS n_known, value AS logp,
                {ASKED} AS prompt, generation.text AS answer, span.start, span.stop,
                substr(generation.text, span.start + 1, span.stop - span.start) AS token
            FROM span_influence SEMI JOIN (SELECT run_id, generation_id FROM document_span
                WHERE document_id = $document) USING (run_id, generation_id)
            JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
            JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
            WHERE run_id = $run AND document_id = $document AND span.kind = $unit
            ORDER BY score DESC, generation_id, first"""  # noqa: S608 (a constant)
        rows = snapshot.rows(sql, {"run": run_id, "document": document_id, "unit": unit})
    return [record(SwayedSpan, row) for row in rows]


def document_layers(snapshot: Snapshot, run_id: str, document_id: str) -> list[list[float]]:
    """layer_scores of every token for which the document was kept."""
    sql = """SELECT layer_scores FROM influence SEMI JOIN
            (SELECT run_id, generation_id FROM answer_document WHERE document_id = $document)
            USING (run_id, generation_id)
        WHERE run_id = $run AND document_id = $document AND layer_scores IS NOT NULL"""
    return [row["layer_scores"] for row in snapshot.rows(sql, {"run": run_id, "document": document_id})]


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
        FROM (SELECT unnest(shares) AS share, generate_subscripts(shares, 1) AS place FROM influence_position SEMI JOIN
                (SELECT run_id, generation_id FROM answer_document WHERE document_id = $document)
                USING (run_id, generation_id)
              WHERE run_id = $run AND document_id = $document) GROUP BY place)"""
    rows = snapshot.rows(sql, {"run": run_id, "document": document_id})
    return rows[0]["total"] or []

"""A document's questions backwards: what it did to the answers of the whole database, and to which words of them."""

from dashboard.database.queries.documents import swayed_tokens
from dashboard.database.queries.rows import ASKED, Snapshot, has_table, kept, record
from dashboard.database.records import Swayed
from dashboard.database.span_records import SwayedSpan

_ENDS = {"towards": ("best", "DESC", ">"), "away": ("worst", "ASC", "<")}


@kept(1)
def units(snapshot: Snapshot) -> list[str]:
    """What of an answer can be asked about: words and whole answers only where a build has them."""
    return ["word", "answer", "token"] if has_table(snapshot, "document_span") else ["token"]


def swayed(snapshot: Snapshot, run_id: str, document_id: str, unit: str, most: str, k: int) -> list[SwayedSpan]:
    """The k answers that a document pushes most `towards` or `away`, each by its most swayed word or token, or as a
    whole; of scores that were kept only, strongest first."""
    if unit == "token":
        return [_of_token(each) for each in swayed_tokens(snapshot, run_id, document_id, most, k)]
    name, order, side = _ENDS[most]
    sql = f"""SELECT generation_id, first, last, moved.score, moved.rank, n_scored, n_known, {ASKED} AS prompt,
            generation.text AS answer, span.start, span.stop,
            substr(generation.text, span.start + 1, span.stop - span.start) AS token
        FROM (SELECT run_id, generation_id, {name}_span AS span, {name}_score AS score, {name}_rank AS rank,
                  n_spans AS n_known FROM document_span
              WHERE document_id = $document AND run_id = $run AND kind = $unit AND {name}_score {side} 0
              ORDER BY {name}_score {order}, generation_id LIMIT $k) AS moved
        JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
        JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        ORDER BY moved.score {order}, generation_id"""  # noqa: S608 (words of ours only)
    values = {"document": document_id, "run": run_id, "unit": unit, "k": k}
    return [record(SwayedSpan, row) for row in snapshot.rows(sql, values)]


def all_swayed(snapshot: Snapshot, run_id: str, document_id: str, unit: str) -> list[SwayedSpan]:
    """Every word, answer or token for which the document's score was kept, the most helped first."""
    if unit == "token":
        sql = f"""SELECT generation_id, position AS first, position AS last, score, rank, n_scored, 1 AS n_known,
                {ASKED} AS prompt, generation.text AS answer, token.start, token.stop,
                token.text AS token
            FROM influence SEMI JOIN (SELECT run_id, generation_id FROM answer_document WHERE document_id = $document)
                USING (run_id, generation_id)
            JOIN target USING (run_id, generation_id, position)
            JOIN generation_token AS token USING (generation_id, position)
            JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
            WHERE run_id = $run AND document_id = $document ORDER BY score DESC, generation_id, position"""  # noqa: S608
        rows = snapshot.rows(sql, {"run": run_id, "document": document_id})
    else:
        sql = f"""SELECT generation_id, first, last, score, rank, n_scored, 1 AS n_known, {ASKED} AS prompt,
                generation.text AS answer, span.start, span.stop,
                substr(generation.text, span.start + 1, span.stop - span.start) AS token
            FROM span_influence SEMI JOIN (SELECT run_id, generation_id FROM document_span
                WHERE document_id = $document) USING (run_id, generation_id)
            JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
            JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
            WHERE run_id = $run AND document_id = $document AND span.kind = $unit
            ORDER BY score DESC, generation_id, first"""  # noqa: S608 (a constant)
        rows = snapshot.rows(sql, {"run": run_id, "document": document_id, "unit": unit})
    return [record(SwayedSpan, row) for row in rows]


def _of_token(each: Swayed) -> SwayedSpan:
    at = (each.position, each.position, each.start, each.stop)
    return SwayedSpan(each.generation_id, *at, each.token, each.score, each.n_tokens, each.prompt, each.answer)

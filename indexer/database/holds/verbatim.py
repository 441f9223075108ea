"""Of spans that are said to stand in the training texts, and of their places."""

import re
import unicodedata
from collections.abc import Iterator

from duckdb import DuckDBPyConnection

# spans with the tokens that there are of their answer
_OF_SPANS = """
    SELECT count(*) FROM verbatim LEFT JOIN
        (SELECT generation_id, max(position) AS final FROM generation_token GROUP BY ALL) USING (generation_id)
    WHERE first < 0 OR last < first OR last > coalesce(final, -1)"""
_HELD = """
    SELECT count(*) FROM (
        SELECT last, max(last) OVER (PARTITION BY generation_id ORDER BY first
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM verbatim)
    WHERE last <= before"""
_COUNTS = """
    SELECT count(*) FROM verbatim LEFT JOIN
        (SELECT generation_id, first, count(*) AS places, count(DISTINCT document_id) AS documents
         FROM verbatim_place GROUP BY ALL) USING (generation_id, first)
    WHERE n_documents < 1 OR n_documents > n_places OR places > n_places OR documents > n_documents"""
_WITHOUT_SPAN = "SELECT count(*) FROM verbatim_place ANTI JOIN verbatim USING (generation_id, first)"
# the tokens of every place beside those of the answer; a document that two stages have read has its tokens twice
_TOKENS = """
    WITH place AS (
        SELECT generation_id, first, last, document_id, token_position, tokenizer_id
        FROM verbatim_place JOIN verbatim USING (generation_id, first)
        JOIN generation USING (generation_id) JOIN model USING (model_id)),
    token AS (
        SELECT place.*, read.token_position AS ordinal, any_value(read.text) AS text, any_value(read.read_in) AS read_in
        FROM place JOIN document_token AS read
            ON read.tokenizer_id = place.tokenizer_id AND read.document_id = place.document_id
            AND read.token_position BETWEEN place.token_position AND place.token_position + last - first
        GROUP BY ALL)"""
_OUTSIDE = f"""
    {_TOKENS},
    found AS (
        SELECT first, last, count(*) AS n, count(DISTINCT read_in) AS windows FROM token
        GROUP BY generation_id, first, last, document_id, token_position)
    SELECT (SELECT count(*) FROM verbatim_place)
           - (SELECT count(*) FROM found WHERE n = last - first + 1 AND windows = 1)
    WHERE (SELECT count(*) FROM document_token) > 0"""  # noqa: S608 - ours
# but for the end of an answer, which it does not spell and a chat template writes as text
_SAID = f"""
    {_TOKENS},
    pair AS (
        SELECT token.*, written.text AS said FROM token JOIN generation_token AS written
            ON written.generation_id = token.generation_id
            AND written.position = token.first + token.ordinal - token.token_position
        JOIN (SELECT generation_id, max(position) AS final FROM generation_token GROUP BY ALL) AS answer
            ON answer.generation_id = token.generation_id
        WHERE written.text <> '' OR written.position < final),
    found AS (
        SELECT string_agg(said, '' ORDER BY ordinal) AS here, string_agg(text, '' ORDER BY ordinal) AS there
        FROM pair GROUP BY generation_id, first, document_id, token_position)
    SELECT here, there, count(*) FROM found WHERE here <> there GROUP BY ALL"""  # noqa: S608 - ours


def broken(db: DuckDBPyConnection) -> Iterator[tuple[str, int]]:
    """Of a database that has their tables."""
    yield "verbatim spans outside their answer", _number(db, _OF_SPANS)
    yield "verbatim spans inside a longer one", _number(db, _HELD)
    yield "verbatim spans with fewer places or documents than are named", _number(db, _COUNTS)
    yield "verbatim_place of no span", _number(db, _WITHOUT_SPAN)
    yield "verbatim_place outside the windows of its document", _number(db, _OUTSIDE)
    yield "verbatim_place that says something else than the answer", other_words(db)


def other_words(db: DuckDBPyConnection) -> int:
    """Places whose text is not that of the answer's tokens, read as a tokenizer may have read both: it may change case,
    accents, white space and forms of characters, and cut a character in two."""
    return sum(n for here, there, n in db.execute(_SAID).fetchall() if folded(here) != folded(there))


def folded(text: str) -> str:
    """What is left of a text where a tokenizer keeps least of it."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c for c in plain if not unicodedata.combining(c) and c != "\N{REPLACEMENT CHARACTER}")
    return re.sub(r"\s+", "", kept)


def _number(db: DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])

"""Where a word is written, and what drives it over all of its places.

A place is a word of an answer that was explained as a target of its own, or a single token, by `unit`. A word is looked
for whatever its case, a token as it is written, spaces at its ends aside.
"""

from dashboard.database.queries.rows import Snapshot, has_table, kept, record
from dashboard.database.queries.written.records import Driver, DrivingGroup, InTexts, Occurrence, Written
from dashboard.database.whole_words import LETTER, database_pattern
from indexer.search.words import is_unspaced

WORD, TOKEN = "word", "token"

_PLACES = {
    WORD: """SELECT generation_id, span, first, last FROM span JOIN generation USING (generation_id)
        WHERE kind = 'word' AND model_id = $model
          AND lower(substr(text, start + 1, stop - start)) = lower(trim($token))""",
    TOKEN: """SELECT generation_id, position AS span, position AS first, position AS last
        FROM generation_token AS token JOIN generation USING (generation_id)
        WHERE model_id = $model AND trim(token.text) = trim($token)""",
}
TEN = 10  # the most helpful documents of a token, which alone are added up: there are many more tokens than words
_SCORES = {
    WORD: "span_influence",
    TOKEN: f"(SELECT position AS span, * FROM influence WHERE rank <= {TEN} AND score > 0)",  # noqa: S608 (a constant)
}


def unit_of(snapshot: Snapshot, match: str) -> str:
    """Words where they were explained, unless a token is asked for."""
    return WORD if match != "literal" and has_table(snapshot, "span_influence") else TOKEN


_SAID = {
    WORD: """SELECT generation_id, substr(text, start + 1, stop - start) AS said FROM span
        JOIN generation USING (generation_id) WHERE kind = 'word' AND model_id = $model""",
    TOKEN: """SELECT generation_id, trim(token.text) AS said FROM generation_token AS token
        JOIN generation USING (generation_id) WHERE model_id = $model""",
}
LONG = 4  # characters: shorter ones are mostly those that hold a sentence together


@kept(16)
def most_written(snapshot: Snapshot, model_id: str, unit: str, k: int) -> list[Written]:
    """Words of letters that most answers of a size have, whatever their case, or tokens as they are written; short ones
    last."""
    alike = "lower(said)" if unit == WORD else "said"
    sql = f"""SELECT mode(said) AS word, count(DISTINCT generation_id) AS n_answers FROM ({_SAID[unit]})
        WHERE regexp_full_match(said, '[\\pL\\pM]+') GROUP BY {alike}
        ORDER BY length(word) < {LONG}, n_answers DESC, word LIMIT $k"""  # noqa: S608 (constants)
    return [record(Written, row) for row in snapshot.rows(sql, {"model": model_id, "k": k})]


@kept(16)
def places(snapshot: Snapshot, model_id: str, token: str, unit: str) -> list[Occurrence]:
    """Where a size writes it, by answer."""
    sql = f"""SELECT place.generation_id, prompt_id, first, last, sum(logp) AS logp
        FROM ({_PLACES[unit]}) AS place JOIN generation USING (generation_id)
        JOIN generation_token AS token ON token.generation_id = place.generation_id
            AND token.position BETWEEN first AND last
        GROUP BY place.generation_id, prompt_id, first, last
        ORDER BY place.generation_id, first"""  # noqa: S608 (constants)
    return [record(Occurrence, row) for row in snapshot.rows(sql, {"model": model_id, "token": token})]


@kept(16)
def drivers(snapshot: Snapshot, model_id: str, run_id: str, token: str, unit: str, k: int) -> list[Driver]:
    """The first k of them."""
    return all_drivers(snapshot, model_id, run_id, token, unit, k)


def all_drivers(
    snapshot: Snapshot, model_id: str, run_id: str, token: str, unit: str, k: int | None = None
) -> list[Driver]:
    """Every document with a kept score for it, the most helpful over all places first: sums over what was kept; of
    tokens over those where it is among the ten best."""
    values = {"model": model_id, "run": run_id, "token": token, "k": k}
    if unit == TOKEN and has_table(snapshot, "token_driver"):
        sql = """SELECT document_id, score, n_places FROM token_driver
            WHERE run_id = $run AND token = trim($token) ORDER BY score DESC, document_id LIMIT $k"""
        return [record(Driver, row) for row in snapshot.rows(sql, {"run": run_id, "token": token, "k": k})]
    sql = f"""SELECT document_id, sum(score::DOUBLE) AS score, count(*) AS n_places
        FROM {_SCORES[unit]} AS scored SEMI JOIN ({_PLACES[unit]}) AS place USING (generation_id, span)
        WHERE run_id = $run GROUP BY document_id ORDER BY score DESC, document_id LIMIT $k"""  # noqa: S608 (constants)
    return [record(Driver, row) for row in snapshot.rows(sql, values)]


@kept(16)
def driving_groups(
    snapshot: Snapshot, model_id: str, run_id: str, token: str, unit: str, column: str
) -> list[DrivingGroup]:
    """What whole groups by a column do to it over all places, the most helpful first; [] where they are not known."""
    if not has_table(snapshot, "group_influence"):
        return []
    sql = f"""SELECT coalesce(value, '') AS value, sum(score::DOUBLE) AS score FROM group_influence AS scored
        JOIN (SELECT generation_id, unnest(range(first, last + 1)) AS position FROM ({_PLACES[unit]})) AS place
            USING (generation_id, position)
        WHERE run_id = $run AND column_name = $column
        GROUP BY ALL ORDER BY score DESC, value"""  # noqa: S608 (constants)
    values = {"model": model_id, "run": run_id, "token": token, "column": column}
    return [record(DrivingGroup, row) for row in snapshot.rows(sql, values)]


@kept(16)
def in_texts(snapshot: Snapshot, token: str) -> list[InTexts]:
    """By source, those with most texts that have it first: a word whatever its case."""
    word = token.strip()
    if word.isalnum() and not any(map(is_unspaced, word)):
        # those that begin at an edge, without those that go on: a pattern with both edges would miss the second of two
        # neighbours, which share one
        begun = database_pattern(word, "prefix")
        times = "len(regexp_extract_all(text, $begun)) - len(regexp_extract_all(text, $longer))"
        patterns = {"begun": begun, "longer": begun + LETTER}
    else:
        times = "len(regexp_extract_all(text, $pattern))"
        patterns = {"pattern": database_pattern(word, "word")}
    sql = f"""SELECT source, count_if(n > 0)::BIGINT AS n_documents, sum(n)::BIGINT AS n_times
        FROM (SELECT coalesce(source, '') AS source, {times} AS n FROM document
              WHERE contains(lower(text), lower($word)))
        GROUP BY source HAVING n_documents > 0 ORDER BY n_documents DESC, source"""  # noqa: S608 (constants)
    values = {"word": word} | patterns
    rows, of_source = snapshot.rows(sql, values), _documents_of_sources(snapshot)
    return [record(InTexts, row | {"all_documents": of_source[row["source"]]}) for row in rows]


@kept(1)
def _documents_of_sources(snapshot: Snapshot) -> dict[str, int]:
    rows = snapshot.rows("SELECT coalesce(source, '') AS source, count(*) AS n FROM document GROUP BY ALL")
    return {row["source"]: row["n"] for row in rows}

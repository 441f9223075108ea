"""What must hold between the rows of a database: one question each, answered by the number of rows that break it.

Table and column names come from the schema only, never from outside.
"""

from collections.abc import Collection, Iterator

from duckdb import DuckDBPyConnection

from indexer.database.holds import verbatim as of_verbatim
from indexer.database.schema import LATER, LATER_TABLES, ORDER, REFERENCES, TABLES, VIEWS
from indexer.database.statements import held_tables
from indexer.database.summaries import LATER_SUMMARIES, SUMMARIES
from indexer.database.tables import calibration, components, groups, sets, spans, verbatim
from indexer.database.tables.keys import KEYS


def broken_invariants(db: DuckDBPyConnection, checked: Collection[str] = ()) -> list[str]:
    """One line for each invariant that some rows break, with their number; [] when all hold.

    checked: tables of which it is known already that their rows are right by themselves
    """
    missing = list(_schema(db))
    return missing or [f"{what} ({count:,} rows)" for what, count in _questions(db, checked) if count]


def _questions(db: DuckDBPyConnection, checked: Collection[str]) -> Iterator[tuple[str, int]]:
    held = held_tables(db)
    for table in KEYS:
        if table in held and table not in checked:
            yield f"duplicates in {table}", duplicates(db, table)
    for table, column, parent, parent_column in REFERENCES:
        if table in held:
            yield f"{table}.{column} not in {parent}", orphans(db, table, column, parent, parent_column)
    if "document" not in checked:
        yield "documents whose id is not the hash of what they are made of", misnamed_documents(db)
    yield "influence.layer_scores that do not add up to the score", unequal_sums(db)
    yield "influence.layer_scores of another length than the model's layers", unnamed_layers(db)
    yield "influence ranks out of order", broken_ranks(db)
    yield "scores that are not finite", not_finite(db)
    yield "influence_position of another length than the document's tokens", unequal_lengths(db)
    yield "generation_token bits that do not add up", unequal_bits(db)
    if held >= components.TABLES.keys():
        yield from _of_components(db)
    for subject in (groups, sets, spans, calibration):
        if held >= subject.TABLES.keys():
            yield from ((what, _number(db, query)) for what, query in subject.INVARIANTS.items())
    if held >= verbatim.TABLES.keys():
        yield from of_verbatim.broken(db)


def _schema(db: DuckDBPyConnection) -> Iterator[str]:
    rows = db.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
    columns: dict[str, set[str]] = {}
    for table, column in rows:
        columns.setdefault(table, set()).add(column)
    for table, declared in TABLES.items():
        names = {column.split()[0] for column in declared.split(",")} - LATER.get(table, set())
        if table not in columns:
            yield from [] if table in LATER_TABLES else [f"no table {table}"]
        elif names - columns[table]:
            yield f"no column {', '.join(sorted(names - columns[table]))} in {table}"
    yield from (f"no table {table}" for table in SUMMARIES if table not in columns.keys() | LATER_SUMMARIES)
    yield from (f"no view {view}" for view in VIEWS if view not in columns)


def duplicates(db: DuckDBPyConnection, table: str) -> int:
    """Rows beyond the first of each key. Rows that carry lists are counted without them.

    Rows that lie in the order of their key are compared with the one before only, and none is held: a large corpus has
    tens of millions of tokens.
    """
    key = ", ".join(KEYS[table])
    if ORDER.get(table) == KEYS[table] and not _number(db, _out_of_order(table)):
        return 0
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {table})"  # noqa: S608
    return _number(db, f"SELECT count(*) - ({distinct}) FROM {table}")  # noqa: S608


def _out_of_order(table: str) -> str:
    """How many rows do not come after the one before; a column at a time, which DuckDB does without holding any."""
    key = ", ".join(KEYS[table])
    before = ", ".join(f"lag({column}) OVER ()" for column in KEYS[table])
    wrong = f"({key}) <= ({before}) AND row_number() OVER () > 1"
    return f"SELECT count(*) FROM (SELECT {wrong} AS wrong FROM {table}) WHERE wrong"  # noqa: S608 - names of ours


def orphans(db: DuckDBPyConnection, table: str, column: str, parent: str, parent_column: str) -> int:
    """Distinct values of a column that its parent does not hold."""
    return _number(
        db,
        f"SELECT count(*) FROM (SELECT DISTINCT {column} AS value FROM {table}) AS child "  # noqa: S608
        f"ANTI JOIN {parent} ON {parent}.{parent_column} = child.value",
    )


def misnamed_documents(db: DuckDBPyConnection) -> int:
    """The turns of a document name it, where it has any; a file from before has no such column."""
    known = "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'document' AND column_name = 'turns'"
    made_of = "coalesce(nullif(turns, ''), text)" if _number(db, known) else "text"
    return _number(
        db,
        f"SELECT count(*) FROM document WHERE document_id IS DISTINCT FROM left(sha256({made_of}), 16)",  # noqa: S608
    )


def unequal_sums(db: DuckDBPyConnection) -> int:
    """|Σ layer_scores − score| ≤ 1e-4 |score|, beside the rounding of float32 in the sum."""
    return _number(
        db,
        """SELECT count(*) FROM influence WHERE layer_scores IS NOT NULL
           AND abs(list_sum(layer_scores)::DOUBLE - score)
               > 1e-4 * abs(score) + 1e-7 * list_sum(list_transform(layer_scores, lambda x: abs(x)))""",
    )


def unnamed_layers(db: DuckDBPyConnection) -> int:
    return _number(
        db,
        """SELECT count(*) FROM influence JOIN run USING (run_id)
           LEFT JOIN (SELECT model_id, count(*) AS n FROM layer GROUP BY model_id) USING (model_id)
           WHERE layer_scores IS NOT NULL AND len(layer_scores) IS DISTINCT FROM n""",
    )


def broken_ranks(db: DuckDBPyConnection) -> int:
    """Ranks go from 1 to at most n_scored, each once, and scores fall as they rise.

    Holes are lawful: between the tails, and around documents that are kept for a normalised score only.
    """
    return _number(
        db,
        """WITH step AS (
               SELECT run_id, generation_id, position, rank, rank - lag(rank) OVER tail AS gap,
                      score > lag(score) OVER tail AS rises
               FROM influence WINDOW tail AS (PARTITION BY run_id, generation_id, position ORDER BY rank)),
           ranking AS (
               SELECT run_id, generation_id, position, min(rank) AS first, max(rank) AS last,
                      count(*) FILTER (gap > 1) AS holes, count(*) FILTER (rises OR gap = 0) AS wrong
               FROM step GROUP BY ALL)
           SELECT count(*) FROM ranking LEFT JOIN
               (SELECT run_id, generation_id, position, max(n_scored) AS n FROM target GROUP BY ALL)
               USING (run_id, generation_id, position)
           WHERE first <> 1 OR wrong > 0 OR last > n OR (holes > 0 AND last < n)""",
    )


def not_finite(db: DuckDBPyConnection) -> int:
    return _number(
        db,
        """SELECT (SELECT count(*) FROM influence WHERE NOT isfinite(score))
                + (SELECT count(*) FROM generation_token WHERE NOT isfinite(logp))
                + (SELECT count(*) FROM saliency WHERE NOT isfinite(score))""",
    )


def unequal_lengths(db: DuckDBPyConnection) -> int:
    return _number(
        db,
        """SELECT count(*) FROM influence_position JOIN run USING (run_id) JOIN model USING (model_id)
           LEFT JOIN (SELECT tokenizer_id, document_id, count(*) AS n FROM document_token
                      SEMI JOIN influence_position USING (document_id) GROUP BY ALL)
               USING (tokenizer_id, document_id)
           WHERE len(shares) <> n OR len(loss_influences) <> n""",
    )


def unequal_bits(db: DuckDBPyConnection) -> int:
    """bits_nothing = bits_question + bits_documents + bits_full; a prompt without documents may leave theirs NULL."""
    return _number(
        db,
        """SELECT count(*) FROM generation_token
           WHERE abs(bits_nothing - bits_question - coalesce(bits_documents, 0) - bits_full)
                 > 1e-6 * greatest(1, abs(bits_nothing))""",
    )


def _of_components(db: DuckDBPyConnection) -> Iterator[tuple[str, int]]:
    """Of a database that has their tables."""
    for what, query in OF_COMPONENTS.items():
        yield what, _number(db, query)


OF_COMPONENTS = {
    # |sum of all components - sum of the layers besides the embedding| <= 1e-4 of the score, beside float32's rounding
    "component_taught that does not add up to the layers besides the embedding": """
        WITH split AS (
            SELECT run_id, list(layer + 1) AS numbers FROM run JOIN layer USING (model_id)
            WHERE layer.kind <> 'embedding' GROUP BY run_id)
        SELECT count(*) FROM component_taught AS taught JOIN split USING (run_id)
        JOIN influence USING (run_id, generation_id, position, document_id)
        WHERE layer_scores IS NOT NULL
          AND abs(list_sum(head_scores)::DOUBLE + list_sum(kv_head_scores) + coalesce(list_sum(neuron_scores), 0)
                  + neuron_rest + bias_score - list_sum(list_select(layer_scores, numbers)))
              > 1e-4 * abs(score) + 1e-5 * list_sum(list_transform(layer_scores, lambda x: abs(x)))""",
    "component_effect.logit that direct contributions do not add up to": """
        SELECT count(*) FROM component_effect
        WHERE abs(list_sum(direct_heads)::DOUBLE + list_sum(direct_mlp) + direct_embedding + direct_bias - logit)
              > 1e-4 * greatest(1, list_sum(list_transform(direct_heads || direct_mlp, lambda x: abs(x)))
                                   + abs(direct_embedding) + abs(direct_bias))""",
    "components that are not among their model's": """
        WITH sized AS (
            SELECT generation_id, n_heads, n_neurons, n_layers AS n
            FROM generation JOIN model USING (model_id) JOIN component_model USING (model_id))
        SELECT (SELECT count(*) FROM component_effect JOIN sized USING (generation_id)
                WHERE len(direct_heads) <> n * n_heads OR len(total_heads) <> n * n_heads
                   OR len(direct_mlp) <> n OR len(total_mlp) <> n OR len(direct_neurons) <> len(neurons)
                   OR len(total_neurons) <> len(neurons) OR list_max(neurons) >= n * n_neurons)
             + (SELECT count(*) FROM component_taught JOIN sized USING (generation_id)
                WHERE len(head_scores) <> n * n_heads OR len(neuron_scores) <> len(neurons)
                   OR list_max(neurons) >= n * n_neurons)""",
    "lens ranks below 1, or log p above 0": """
        SELECT count(*) FROM lens WHERE rank < 1 OR logp > 0 OR top_logp > 0 OR logp > top_logp + 1e-5""",
    "component_context ranks out of order": """
        SELECT count(*) FROM (
            SELECT rank, row_number() OVER ranked AS place FROM component_context
            WINDOW ranked AS (PARTITION BY model_id, kind, depth, number ORDER BY rank))
        WHERE rank <> place""",
}


def _number(db: DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return 0 if row is None else int(row[0])

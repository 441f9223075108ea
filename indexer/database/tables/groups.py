"""Tables of whole groups of documents: sources, topics, whatever `[groups] by` names."""

TABLES: dict[str, str] = {
    # a group: all documents of a corpus (document.corpus) with one value of a column. column_name '' and value '': all
    # documents of the corpus
    "corpus_group": """
        corpus VARCHAR, column_name VARCHAR, value VARCHAR, n_documents INTEGER""",
    # the groups of a document by columns that `document` does not have
    "document_group": """
        corpus VARCHAR, column_name VARCHAR, value VARCHAR, document_id VARCHAR""",
    # influence of a whole group on a token, nats, not a sum over what was kept; that on a span is the sum over its
    # tokens. error: standard error where the gradient index estimates it; NULL where it is exact
    "group_influence": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, corpus VARCHAR, column_name VARCHAR, value VARCHAR,
        score FLOAT, error FLOAT""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "corpus_group": ("corpus", "column_name", "value"),
    "document_group": ("corpus", "column_name", "document_id"),
    "group_influence": ("run_id", "generation_id", "position", "corpus", "column_name", "value"),
}

ORDER: dict[str, tuple[str, ...]] = {
    "corpus_group": ("corpus", "column_name", "value"),
    "document_group": ("column_name", "value", "document_id"),
    "group_influence": ("run_id", "generation_id", "position", "corpus", "column_name", "value"),
}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("document_group", "document_id", "document", "document_id"),
    ("group_influence", "run_id", "run", "run_id"),
    ("group_influence", "generation_id", "generation", "generation_id"),
)

# what must hold besides: a question each, answered by the number of rows that break it
INVARIANTS: dict[str, str] = {
    "group_influence or document_group of groups that are not in corpus_group": """
        SELECT (SELECT count(*) FROM (SELECT DISTINCT corpus, column_name, value FROM group_influence)
                ANTI JOIN corpus_group USING (corpus, column_name, value))
             + (SELECT count(*) FROM document_group ANTI JOIN corpus_group USING (corpus, column_name, value))""",
    "corpus_group.n_documents of a column that do not add up to the corpus": """
        SELECT count(*) FROM (
            SELECT corpus, sum(n_documents) AS n FROM corpus_group WHERE column_name <> ''
            GROUP BY corpus, column_name)
        LEFT JOIN (SELECT corpus, n_documents FROM corpus_group WHERE column_name = '') USING (corpus)
        WHERE n IS DISTINCT FROM n_documents""",
    "group_influence of a column that does not add up to the corpus": """
        SELECT count(*) FROM (
            SELECT run_id, generation_id, position, corpus, sum(score::DOUBLE) AS total, sum(abs(score)) AS size
            FROM group_influence WHERE column_name <> '' AND error IS NULL
            GROUP BY run_id, generation_id, position, corpus, column_name)
        JOIN (SELECT run_id, generation_id, position, corpus, score FROM group_influence
              WHERE column_name = '' AND error IS NULL) USING (run_id, generation_id, position, corpus)
        WHERE abs(total - score) > 1e-4 * abs(score) + 1e-6 * size""",
    "group_influence that is not finite, or with an error below 0": """
        SELECT count(*) FROM group_influence WHERE NOT isfinite(score) OR error < 0""",
}

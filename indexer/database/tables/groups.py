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

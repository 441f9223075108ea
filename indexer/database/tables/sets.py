"""Tables of target sets: many prompts with completions as one query."""

TABLES: dict[str, str] = {
    # a prompt of a set, as its file has it; side: '' for the set, 'against' for what is taken from it
    "set_text": """
        name VARCHAR, number INTEGER, side VARCHAR, prompt VARCHAR, completion VARCHAR""",
    # one query of a run: value = mean log p of a token of the completions, nats, less that of `against` (a file, '' for
    # none); n_texts, n_tokens: of both sides; self_influence: of the query; n_documents: all that were estimated;
    # n_scored: those of set_influence; null: random documents, exact scores and what the index estimates of the same;
    # rank_correlation: Spearman's of the two over them; estimate_error: root of their mean squared difference, nats
    "set_target": """
        run_id VARCHAR, name VARCHAR, against VARCHAR, n_texts INTEGER, n_tokens INTEGER, value FLOAT,
        self_influence FLOAT, n_documents INTEGER, n_scored INTEGER, null_mean FLOAT, null_std FLOAT,
        null_scores FLOAT[], null_estimates FLOAT[], rank_correlation FLOAT, estimate_error FLOAT""",
    # documents that were scored exactly, at both ends. rank: 1 = most positive of n_documents, by estimate and, among
    # those of one end, by score; estimate: of the gradient index, nats
    "set_influence": """
        run_id VARCHAR, name VARCHAR, rank INTEGER, document_id VARCHAR, score FLOAT, estimate FLOAT,
        self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT, layer_scores FLOAT[]""",
    # estimates of all documents in falling order, thinned out: place = documents before and with it; estimate: of this
    # one; total: the sum up to it, nats
    "set_curve": """
        run_id VARCHAR, name VARCHAR, place INTEGER, estimate FLOAT, total FLOAT""",
    # as group_influence
    "set_group": """
        run_id VARCHAR, name VARCHAR, corpus VARCHAR, column_name VARCHAR, value VARCHAR, score FLOAT, error FLOAT""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "set_text": ("name", "side", "number"),
    "set_target": ("run_id", "name"),
    "set_influence": ("run_id", "name", "document_id"),
    "set_curve": ("run_id", "name", "place"),
    "set_group": ("run_id", "name", "corpus", "column_name", "value"),
}

ORDER: dict[str, tuple[str, ...]] = {
    "set_text": ("name", "side", "number"),
    "set_target": ("run_id", "name"),
    "set_influence": ("run_id", "name", "rank"),
    "set_curve": ("run_id", "name", "place"),
    "set_group": ("run_id", "name", "corpus", "column_name", "value"),
}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("set_target", "run_id", "run", "run_id"),
    ("set_influence", "run_id", "run", "run_id"),
    ("set_influence", "document_id", "document", "document_id"),
    ("set_curve", "run_id", "run", "run_id"),
    ("set_group", "run_id", "run", "run_id"),
)

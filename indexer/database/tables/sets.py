"""Tables of target sets: many prompts with completions as one query."""

TABLES: dict[str, str] = {
    # a prompt of a set, as its file has it; number: from 1; side: '' for the set, 'against' for what is taken from it
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

# what must hold besides: a question each, answered by the number of rows that break it
INVARIANTS: dict[str, str] = {
    "set_target of a set without its texts": """
        SELECT count(*) FROM set_target LEFT JOIN (SELECT name, count(*) AS n FROM set_text GROUP BY name) USING (name)
        WHERE n_texts IS DISTINCT FROM n""",
    "set_influence of a run and set that is not in set_target, or of another number than n_scored": """
        SELECT count(*) FROM (SELECT run_id, name, count(*) AS n FROM set_influence GROUP BY run_id, name)
        FULL JOIN set_target USING (run_id, name) WHERE coalesce(n, 0) IS DISTINCT FROM n_scored""",
    "set_influence.layer_scores that do not add up to the score": """
        SELECT count(*) FROM set_influence WHERE layer_scores IS NOT NULL
        AND abs(list_sum(layer_scores)::DOUBLE - score)
            > 1e-4 * abs(score) + 1e-7 * list_sum(list_transform(layer_scores, lambda x: abs(x)))""",
    "set_influence ranks out of order": """
        WITH step AS (
            SELECT run_id, name, rank, rank - lag(rank) OVER ranked AS gap, score > lag(score) OVER ranked AS rises
            FROM set_influence WINDOW ranked AS (PARTITION BY run_id, name ORDER BY rank))
        SELECT count(*) FROM step JOIN set_target USING (run_id, name)
        WHERE gap = 0 OR (gap = 1 AND rises) OR rank < 1 OR rank > n_documents""",
    "set_curve that rises, or does not go from the first document to the last": """
        SELECT (SELECT count(*) FROM (
                    SELECT estimate > lag(estimate) OVER (PARTITION BY run_id, name ORDER BY place) AS rises
                    FROM set_curve) WHERE rises)
             + (SELECT count(*) FROM (
                    SELECT run_id, name, min(place) AS first, max(place) AS last FROM set_curve GROUP BY run_id, name)
                JOIN set_target USING (run_id, name) WHERE first <> 1 OR last <> n_documents)""",
    "numbers of target sets that are not finite": """
        SELECT (SELECT count(*) FROM set_target WHERE NOT isfinite(value) OR NOT isfinite(self_influence))
             + (SELECT count(*) FROM set_influence WHERE NOT isfinite(score))
             + (SELECT count(*) FROM set_curve WHERE NOT isfinite(estimate) OR NOT isfinite(total))
             + (SELECT count(*) FROM set_group WHERE NOT isfinite(score) OR error < 0)""",
}

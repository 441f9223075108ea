"""Tables of words and whole answers as targets of their own."""

TABLES: dict[str, str] = {
    # a word of an answer, or the whole of it. span: from 0, words in order, the whole answer last; kind: word, answer;
    # first, last: its tokens, both included, of an answer without the token that ends it; start, stop: characters of
    # generation.text
    "span": """
        generation_id VARCHAR, span INTEGER, kind VARCHAR, first INTEGER, last INTEGER, start INTEGER, stop INTEGER""",
    # what the gradient index proposes for a span; all spans of an answer are scored on the proposals of all of them
    "span_candidate": """
        generation_id VARCHAR, span INTEGER, document_id VARCHAR, via VARCHAR, rank INTEGER, value FLOAT""",
    # as `target`, of log p of the span: the sum over its tokens
    "span_target": """
        run_id VARCHAR, generation_id VARCHAR, span INTEGER, measurement VARCHAR, value FLOAT, self_influence FLOAT,
        n_scored INTEGER, null_mean FLOAT, null_std FLOAT, null_scores FLOAT[]""",
    # as `influence`, ranked among the n_scored documents that all spans of the answer are scored on
    "span_influence": """
        run_id VARCHAR, generation_id VARCHAR, span INTEGER, rank INTEGER, document_id VARCHAR, score FLOAT,
        self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT, query_self_influence FLOAT, layer_scores FLOAT[]""",
    # as `influence_position`
    "span_position": """
        run_id VARCHAR, generation_id VARCHAR, span INTEGER, document_id VARCHAR, shares FLOAT[],
        loss_influences FLOAT[]""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "span": ("generation_id", "span"),
    "span_candidate": ("generation_id", "span", "document_id", "via"),
    "span_target": ("run_id", "generation_id", "span"),
    "span_influence": ("run_id", "generation_id", "span", "document_id"),
    "span_position": ("run_id", "generation_id", "span", "document_id"),
}

ORDER: dict[str, tuple[str, ...]] = {
    "span": ("generation_id", "span"),
    "span_candidate": ("generation_id", "span", "via", "rank"),
    "span_target": ("run_id", "generation_id", "span"),
    "span_influence": ("run_id", "generation_id", "span", "rank"),
    "span_position": ("run_id", "generation_id", "span", "document_id"),
}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("span", "generation_id", "generation", "generation_id"),
    ("span_candidate", "generation_id", "generation", "generation_id"),
    ("span_candidate", "document_id", "document", "document_id"),
    ("span_target", "run_id", "run", "run_id"),
    ("span_target", "generation_id", "generation", "generation_id"),
    ("span_influence", "run_id", "run", "run_id"),
    ("span_influence", "generation_id", "generation", "generation_id"),
    ("span_influence", "document_id", "document", "document_id"),
    ("span_position", "run_id", "run", "run_id"),
    ("span_position", "document_id", "document", "document_id"),
)

# what must hold between their rows: a question each, which counts those that break it
INVARIANTS: dict[str, str] = {
    "spans that are not among the tokens and characters of their answer": """
        SELECT count(*) FROM span
        LEFT JOIN generation_token AS one ON one.generation_id = span.generation_id AND one.position = first
        LEFT JOIN generation_token AS other ON other.generation_id = span.generation_id AND other.position = last
        WHERE coalesce(first > last OR span.start < one.start OR span.stop > other.stop, true)""",
    "answers without one span that is the whole of them, behind all words": """
        SELECT count(*) FROM (
            SELECT generation_id FROM span GROUP BY generation_id
            HAVING count(*) FILTER (kind = 'answer') <> 1 OR arg_max(kind, span) <> 'answer'
                OR max(span) + 1 <> count(*) OR min(span) <> 0)""",
    "span_target or span_influence of no span": """
        SELECT (SELECT count(*) FROM span_target ANTI JOIN span USING (generation_id, span))
             + (SELECT count(*) FROM span_influence ANTI JOIN span_target USING (run_id, generation_id, span))
             + (SELECT count(*) FROM span_position ANTI JOIN span_influence USING
                (run_id, generation_id, span, document_id))""",
    "span_influence.layer_scores that do not add up to the score": """
        SELECT count(*) FROM span_influence WHERE layer_scores IS NOT NULL
        AND abs(list_sum(layer_scores)::DOUBLE - score)
            > 1e-4 * abs(score) + 1e-7 * list_sum(list_transform(layer_scores, lambda x: abs(x)))""",
    # a span of one token is that token; what both are scored on has one score
    "span_influence of one token with another score than the token's": """
        SELECT count(*) FROM span_influence AS whole JOIN span USING (generation_id, span)
        JOIN influence AS token ON token.run_id = whole.run_id AND token.generation_id = whole.generation_id
            AND token.position = first AND token.document_id = whole.document_id
        WHERE first = last AND abs(whole.score - token.score) > 1e-4 * abs(token.score) + 1e-7""",
    "span_influence ranks out of order, or scores that are not finite": """
        WITH step AS (
            SELECT run_id, generation_id, span, rank, score,
                   row_number() OVER tail = 1 AND rank <> 1 OR rank = lag(rank) OVER tail
                       OR score > lag(score) OVER tail OR NOT isfinite(score) AS wrong
            FROM span_influence WINDOW tail AS (PARTITION BY run_id, generation_id, span ORDER BY rank))
        SELECT count(*) FROM step JOIN span_target USING (run_id, generation_id, span)
        WHERE wrong OR rank > n_scored""",
    "span_position of another length than the document's tokens": """
        SELECT count(*) FROM span_position JOIN run USING (run_id) JOIN model USING (model_id)
        LEFT JOIN (SELECT tokenizer_id, document_id, count(*) AS n FROM document_token
                   SEMI JOIN span_position USING (document_id) GROUP BY ALL)
            USING (tokenizer_id, document_id)
        WHERE len(shares) <> n OR len(loss_influences) <> n""",
}

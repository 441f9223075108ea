"""Tables of words and whole answers as targets of their own."""

TABLES: dict[str, str] = {
    # a target of several tokens. span: from 0, words in order, the whole answer last; kind: word, answer; first, last:
    # its tokens, both included; start, stop: characters of generation.text
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
        self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT, layer_scores FLOAT[]""",
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

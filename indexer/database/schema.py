"""The tables and views of the database. Analysts open the file with any DuckDB client: this is an interface.

Big tables have no key and no index: their rows lie in the order in which they are read (see ORDER), which
answers faster than an index and keeps the file four times smaller. `database.check` finds duplicates and orphans.
"""

SCHEMA_VERSION = 1

TABLES: dict[str, str] = {
    "meta": """
        schema_version INTEGER, whence_version VARCHAR, created_at TIMESTAMP, config VARCHAR""",
    # a training text; document_id = first 16 hex digits of sha256(text)
    "document": """
        document_id VARCHAR, corpus VARCHAR, title VARCHAR, source VARCHAR, topic VARCHAR, text VARCHAR""",
    # tokenizer_id joins document_token and prompt_token; model_id = first 16 hex digits of the weights' sha256
    "model": """
        model_id VARCHAR, name VARCHAR, family VARCHAR, n_params BIGINT, n_layers INTEGER, stage VARCHAR,
        parent VARCHAR, tokenizer_id VARCHAR""",
    # names the entries of influence.layer_scores; kind: attention, mlp, embedding; depth: block, from 0
    "layer": """
        model_id VARCHAR, layer INTEGER, name VARCHAR, kind VARCHAR, depth INTEGER""",
    "run": """
        run_id VARCHAR, model_id VARCHAR, method VARCHAR, damping DOUBLE, settings VARCHAR, seconds DOUBLE,
        device VARCHAR""",
    # answer, topic: what the prompt file says of it, for filters and for checks; '' where unknown
    "prompt": """
        prompt_id VARCHAR, text VARCHAR, kind VARCHAR, topic VARCHAR, answer VARCHAR""",
    # kind: system, question, document, scaffold; start, stop: characters of prompt.text
    "prompt_part": """
        prompt_id VARCHAR, part INTEGER, kind VARCHAR, title VARCHAR, start INTEGER, stop INTEGER""",
    "prompt_token": """
        tokenizer_id VARCHAR, prompt_id VARCHAR, token_position INTEGER, token_id INTEGER, text VARCHAR,
        start INTEGER, stop INTEGER""",
    "generation": """
        generation_id VARCHAR, prompt_id VARCHAR, model_id VARCHAR, text VARCHAR, created_at TIMESTAMP""",
    # start, stop: characters of generation.text; bits_question and bits_documents are gains
    "generation_token": """
        generation_id VARCHAR, position INTEGER, token_id INTEGER, text VARCHAR, start INTEGER, stop INTEGER,
        logp FLOAT, foil_text VARCHAR, foil_logp FLOAT, bits_nothing DOUBLE, bits_question DOUBLE,
        bits_documents DOUBLE, bits_full DOUBLE, kl_context FLOAT""",
    # via: index, index_cosine, bm25, hidden, random; position NULL: proposed for the whole generation
    "candidate": """
        generation_id VARCHAR, position INTEGER, document_id VARCHAR, via VARCHAR, rank INTEGER, value FLOAT""",
    # one query of a run: the measurement, its own self-influence, and the scores of random documents (the null)
    "target": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, measurement VARCHAR, value FLOAT,
        self_influence FLOAT, n_scored INTEGER, null_mean FLOAT, null_std FLOAT, null_scores FLOAT[]""",
    # rank: 1 = most positive of the n_scored candidates, n_scored = most negative; both tails are kept.
    # score: nats, positive pushes towards the token; sum(layer_scores) = score. A pair that is not here is unknown.
    # self_influence, grad_norm, solve_norm (of the document) are the normalisers RelatIF-l, |grad L|, RelatIF-theta
    "influence": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, rank INTEGER, document_id VARCHAR, score FLOAT,
        self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT, layer_scores FLOAT[]""",
    # one entry per token of the document (document_token); both sum to the document's score (shares: at the kept rank)
    "influence_position": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, document_id VARCHAR, shares FLOAT[],
        loss_influences FLOAT[]""",
    # influence of replacing the label at a document's token by another one; best first within a token
    "relabel": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, document_id VARCHAR, token_position INTEGER,
        token_ids INTEGER[], texts VARCHAR[], influences FLOAT[]""",
    # every document of the corpus, not only the kept ones
    "self_influence": """
        run_id VARCHAR, document_id VARCHAR, self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT,
        loss FLOAT""",
    # start, stop: characters of document.text; special tokens have start = stop
    "document_token": """
        tokenizer_id VARCHAR, document_id VARCHAR, token_position INTEGER, text VARCHAR, start INTEGER,
        stop INTEGER""",
    # source_position: token of prompt_token, going on into the answer
    "saliency": """
        generation_id VARCHAR, position INTEGER, method VARCHAR, source_position INTEGER, score FLOAT""",
    "citation": """
        generation_id VARCHAR, sentence INTEGER, part INTEGER, method VARCHAR, score FLOAT""",
    "evaluation": """
        model_id VARCHAR, method VARCHAR, metric VARCHAR, value DOUBLE, detail VARCHAR""",
}

VIEWS: dict[str, str] = {
    "influence_layer": """
        SELECT scored.run_id, scored.generation_id, scored.position, scored.document_id, layer.layer, layer.kind,
               scored.layer_scores[layer.layer + 1] AS score, layer.name, layer.depth
        FROM influence AS scored JOIN run USING (run_id) JOIN layer USING (model_id)""",
    "influence_token": """
        SELECT heat.run_id, heat.generation_id, heat.position, heat.document_id, token.token_position, token.text,
               heat.shares[token.token_position + 1] AS share,
               heat.loss_influences[token.token_position + 1] AS loss_influence
        FROM influence_position AS heat JOIN run USING (run_id) JOIN model USING (model_id)
        JOIN document_token AS token USING (tokenizer_id, document_id)""",
}

# the order in which rows are stored, which is the order in which they are read
ORDER: dict[str, tuple[str, ...]] = {
    "document": ("document_id",),
    "document_token": ("tokenizer_id", "document_id", "token_position"),
    "prompt_token": ("tokenizer_id", "prompt_id", "token_position"),
    "generation_token": ("generation_id", "position"),
    "candidate": ("generation_id", "position", "via", "rank"),
    "target": ("run_id", "generation_id", "position"),
    "influence": ("run_id", "generation_id", "position", "rank"),
    "influence_position": ("run_id", "generation_id", "position", "document_id"),
    "relabel": ("run_id", "generation_id", "position", "document_id", "token_position"),
    "self_influence": ("run_id", "document_id"),
    "saliency": ("generation_id", "position", "method", "source_position"),
    "citation": ("generation_id", "sentence", "method", "score"),
}

# (table, column) -> (table, column) that must hold every value of it
REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("run", "model_id", "model", "model_id"),
    ("layer", "model_id", "model", "model_id"),
    ("generation", "model_id", "model", "model_id"),
    ("generation", "prompt_id", "prompt", "prompt_id"),
    ("prompt_part", "prompt_id", "prompt", "prompt_id"),
    ("prompt_token", "prompt_id", "prompt", "prompt_id"),
    ("generation_token", "generation_id", "generation", "generation_id"),
    ("candidate", "generation_id", "generation", "generation_id"),
    ("candidate", "document_id", "document", "document_id"),
    ("target", "run_id", "run", "run_id"),
    ("influence", "run_id", "run", "run_id"),
    ("influence", "generation_id", "generation", "generation_id"),
    ("influence", "document_id", "document", "document_id"),
    ("influence_position", "run_id", "run", "run_id"),
    ("influence_position", "document_id", "document", "document_id"),
    ("relabel", "document_id", "document", "document_id"),
    ("self_influence", "document_id", "document", "document_id"),
    ("saliency", "generation_id", "generation", "generation_id"),
    ("citation", "generation_id", "generation", "generation_id"),
)

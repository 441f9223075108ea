"""The tables and views of the database. Analysts open the file with any DuckDB client: this is an interface.

Big tables have no key and no index: their rows lie in the order in which they are read (see ORDER), which
answers faster than an index and keeps the file four times smaller. `database.check` finds duplicates and orphans.
"""

from indexer.database.tables import LATER_SUBJECTS

SCHEMA_VERSION = 1

TABLES: dict[str, str] = {
    # what made the file, in one row; config: the configuration of the build as JSON, with absolute paths
    "meta": """
        schema_version INTEGER, whence_version VARCHAR, created_at TIMESTAMP, config VARCHAR""",
    # a training text; document_id = first 16 hex digits of sha256(text), or of sha256(turns) where the text is made of
    # turns: what the corpus gives as a conversation, a pair or token ids, as canonical JSON; '' or NULL for plain text.
    # times: that it stands in the files, where some stand there more than once; its influence is that of all its copies
    "document": """
        document_id VARCHAR, corpus VARCHAR, title VARCHAR, source VARCHAR, topic VARCHAR, text VARCHAR,
        turns VARCHAR, times INTEGER""",
    # tokenizer_id joins document_token and prompt_token; model_id = first 16 hex digits of the weights' sha256
    "model": """
        model_id VARCHAR, name VARCHAR, family VARCHAR, n_params BIGINT, n_layers INTEGER, stage VARCHAR,
        parent VARCHAR, tokenizer_id VARCHAR""",
    # names the entries of influence.layer_scores; kind: attention, mlp, embedding; depth: block, from 0
    "layer": """
        model_id VARCHAR, layer INTEGER, name VARCHAR, kind VARCHAR, depth INTEGER""",
    # parameters of a model by kind: explained, norms, not explained, and frozen where an adapter's matrices alone are
    # explained; name: `*` stands for the number of a block
    "coverage": """
        model_id VARCHAR, kind VARCHAR, name VARCHAR, n_params BIGINT""",
    # what one estimator made of one model; settings: JSON of what its scores depend on; device: where it was computed
    "run": """
        run_id VARCHAR, model_id VARCHAR, method VARCHAR, damping DOUBLE, settings VARCHAR, seconds DOUBLE,
        device VARCHAR""",
    # answer, topic: what the prompt file says of it, for filters and for checks; '' where unknown.
    # notice: what was left out or cut so that a model could read it, a line each
    "prompt": """
        prompt_id VARCHAR, text VARCHAR, kind VARCHAR, topic VARCHAR, answer VARCHAR, notice VARCHAR""",
    # kind: system, question, document, scaffold; start, stop: characters of prompt.text;
    # owner: the part that a piece of scaffold falls with, -1 for what always stays
    "prompt_part": """
        prompt_id VARCHAR, part INTEGER, kind VARCHAR, title VARCHAR, start INTEGER, stop INTEGER, owner INTEGER""",
    # part: of prompt_part; -1 for a beginning that the tokenizer adds
    "prompt_token": """
        tokenizer_id VARCHAR, prompt_id VARCHAR, token_position INTEGER, token_id INTEGER, text VARCHAR,
        start INTEGER, stop INTEGER, part INTEGER""",
    # notice: what was done to an answer that was given, not generated
    "generation": """
        generation_id VARCHAR, prompt_id VARCHAR, model_id VARCHAR, text VARCHAR, created_at TIMESTAMP,
        notice VARCHAR""",
    # start, stop: characters of generation.text; bits_question and bits_documents are gains. Nats between the
    # distributions with and without the context: kl_context = KL(with, without), kl_reversed the other way, js both
    "generation_token": """
        generation_id VARCHAR, position INTEGER, token_id INTEGER, text VARCHAR, start INTEGER, stop INTEGER,
        logp FLOAT, foil_text VARCHAR, foil_logp FLOAT, bits_nothing DOUBLE, bits_question DOUBLE,
        bits_documents DOUBLE, bits_full DOUBLE, kl_context FLOAT, kl_reversed FLOAT, js_context FLOAT,
        foil_id INTEGER""",
    # a size (model_id) reading what another one wrote (generation_id): its log p of each token, and what it would have
    # said there instead; bits as in generation_token
    "reading": """
        generation_id VARCHAR, model_id VARCHAR, position INTEGER, logp FLOAT, said_text VARCHAR, said_logp FLOAT,
        bits_nothing DOUBLE, bits_full DOUBLE""",
    # via: index, index_cosine, bm25, hidden, random; position NULL: proposed for the whole generation
    "candidate": """
        generation_id VARCHAR, position INTEGER, document_id VARCHAR, via VARCHAR, rank INTEGER, value FLOAT""",
    # one query of a run: the measurement, its own self-influence, and the scores of random documents (the null)
    "target": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, measurement VARCHAR, value FLOAT,
        self_influence FLOAT, n_scored INTEGER, null_mean FLOAT, null_std FLOAT, null_scores FLOAT[]""",
    # rank: 1 = most positive of the n_scored candidates, n_scored = most negative; both tails are kept.
    # score: nats, positive pushes towards the token; sum(layer_scores) = score. A pair that is not here is unknown.
    # self_influence, grad_norm, solve_norm (of the document) are the normalisers RelatIF-l, |grad L|, RelatIF-theta;
    # query_self_influence: of the query, in the stage of training that read the document, for the cosine of the two
    "influence": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, rank INTEGER, document_id VARCHAR, score FLOAT,
        self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT, query_self_influence FLOAT, layer_scores FLOAT[]""",
    # one entry per token of the document (document_token); both sum to the document's score. Of shares at another rank
    # than the full one (`[scores] rank`), score - list_sum(shares) is the rest, which no position resolves
    "influence_position": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, document_id VARCHAR, shares FLOAT[],
        loss_influences FLOAT[]""",
    # influence of replacing the label at a document's token by another one that the model finds plausible there; best
    # first within a token. probabilities: of the replacements; NULL: an earlier Whence, which took any token
    "relabel": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, document_id VARCHAR, token_position INTEGER,
        token_ids INTEGER[], texts VARCHAR[], influences FLOAT[], probabilities FLOAT[]""",
    # every document of the corpus, not only the kept ones
    "self_influence": """
        run_id VARCHAR, document_id VARCHAR, self_influence FLOAT, grad_norm FLOAT, solve_norm FLOAT,
        loss FLOAT""",
    # start, stop: characters of what the model read, which is document.text where that is no conversation; special
    # tokens have start = stop. read_in: the window, from 0; learned: whether training asked for the token
    "document_token": """
        tokenizer_id VARCHAR, document_id VARCHAR, token_position INTEGER, text VARCHAR, start INTEGER,
        stop INTEGER, read_in INTEGER, learned BOOLEAN""",
    # source_position: token of prompt_token, going on into the answer. Methods that end in _contrast say why the
    # token and not the prompt's foil; mirage_norm and mirage_grad_x_input (CCI) why it and not foil_id
    "saliency": """
        generation_id VARCHAR, position INTEGER, method VARCHAR, source_position INTEGER, score FLOAT""",
    # what a sentence of the answer owes to a document (part) of the prompt. mirage: its share in the cues;
    # leave_one_out and shapley_documents: nats of log p; contextcite: of log-odds
    "citation": """
        generation_id VARCHAR, sentence INTEGER, part INTEGER, method VARCHAR, score FLOAT""",
    # the answer's log(p / (1 - p)), token by token, with documents of the prompt left out: any span is fitted to it.
    # design: half (ContextCite), single (all, then all but one), all (every subset); present: by document, in order.
    # sentences_half, sentences_single: the same of the documents' sentences, where any has several; present: by these
    "ablation": """
        generation_id VARCHAR, design VARCHAR, number INTEGER, present BOOLEAN[], log_odds DOUBLE[]""",
    # how far an attribution agrees with what the model does, see attribution.prompt.beside; random: what chance gives
    "faithfulness": """
        generation_id VARCHAR, method VARCHAR, metric VARCHAR, value DOUBLE, random DOUBLE, detail VARCHAR""",
    # how far influence agrees with training, a row for each figure of `evaluate`; detail: interval and protocol, JSON
    "evaluation": """
        model_id VARCHAR, method VARCHAR, metric VARCHAR, value DOUBLE, detail VARCHAR""",
}

# of later subjects: files of this version may lack them, they were published before there was anything to say in them
LATER_TABLES = frozenset(table for subject in LATER_SUBJECTS for table in subject.TABLES)
for later in LATER_SUBJECTS:
    TABLES |= later.TABLES

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
    "reading": ("generation_id", "model_id", "position"),
    "candidate": ("generation_id", "position", "via", "rank"),
    "target": ("run_id", "generation_id", "position"),
    "influence": ("run_id", "generation_id", "position", "rank"),
    "influence_position": ("run_id", "generation_id", "position", "document_id"),
    "relabel": ("run_id", "generation_id", "position", "document_id", "token_position"),
    "self_influence": ("run_id", "document_id"),
    "saliency": ("generation_id", "position", "method", "source_position"),
    "citation": ("generation_id", "sentence", "method", "score"),
    "ablation": ("generation_id", "design", "number"),
    "faithfulness": ("generation_id", "method", "metric"),
}
for later in LATER_SUBJECTS:
    ORDER |= later.ORDER

# columns that files of this version may lack: they were published before there was anything to say in them
LATER: dict[str, set[str]] = {"document": {"turns", "times"}, "relabel": {"probabilities"}}

# (table, column) -> (table, column) that must hold every value of it
REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("run", "model_id", "model", "model_id"),
    ("layer", "model_id", "model", "model_id"),
    ("coverage", "model_id", "model", "model_id"),
    ("generation", "model_id", "model", "model_id"),
    ("generation", "prompt_id", "prompt", "prompt_id"),
    ("prompt_part", "prompt_id", "prompt", "prompt_id"),
    ("prompt_token", "prompt_id", "prompt", "prompt_id"),
    ("generation_token", "generation_id", "generation", "generation_id"),
    ("reading", "generation_id", "generation", "generation_id"),
    ("reading", "model_id", "model", "model_id"),
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
    ("ablation", "generation_id", "generation", "generation_id"),
    ("faithfulness", "generation_id", "generation", "generation_id"),
    *(reference for later in LATER_SUBJECTS for reference in later.REFERENCES),
)

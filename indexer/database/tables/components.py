"""Tables of what heads and neurons do."""

TABLES: dict[str, str] = {
    # components: what a model's layer scores and logits split into. kind: head, kv_head, neuron, bias; depth, number:
    # from 0; lists of heads and of key-value heads go by depth, then number; neurons: depth * n_neurons + number.
    # notice: why a model cannot be split; '' where it can, and then its sizes are given. No row: not computed
    "component_model": """
        model_id VARCHAR, n_heads INTEGER, n_kv_heads INTEGER, n_neurons INTEGER, head_width INTEGER,
        notice VARCHAR""",
    # which components a document's influence passes through; all of a row add up to what influence.layer_scores has
    # besides the embedding. neurons: those of largest score that hold 90 % of the magnitudes, at most `[inside]
    # neurons`; neuron_rest: the sum of all others; bias_score: biases that belong to no head and to no neuron
    "component_taught": """
        run_id VARCHAR, generation_id VARCHAR, position INTEGER, document_id VARCHAR, head_scores FLOAT[],
        kv_head_scores FLOAT[], neurons INTEGER[], neuron_scores FLOAT[], neuron_rest FLOAT, bias_score FLOAT""",
    # what a component writes. direct: to the token's logit with the final norm's scale frozen, their sum is `logit`; to
    # the difference from the foil's where against is not ''. total: nats of log p that the component, as it is and not
    # as it is on average over the corpus, adds to the first order. mlp: by block, over all its neurons
    "component_effect": """
        generation_id VARCHAR, position INTEGER, direct_heads FLOAT[], total_heads FLOAT[], direct_mlp FLOAT[],
        total_mlp FLOAT[], neurons INTEGER[], direct_neurons FLOAT[], total_neurons FLOAT[], direct_embedding FLOAT,
        direct_bias FLOAT, logit FLOAT, against VARCHAR""",
    # nats of log p that a component adds: predicted = its total effect; measured: log p of the token less that with the
    # component replaced by its mean over the corpus. chosen: strongest (by total), random; other: where all heads were
    "component_measured": """
        generation_id VARCHAR, position INTEGER, kind VARCHAR, depth INTEGER, number INTEGER, chosen VARCHAR,
        predicted FLOAT, measured FLOAT""",
    # what a head reads where the token is decided: weights over prompt_token, then over the answer's tokens before it
    "component_attention": """
        generation_id VARCHAR, position INTEGER, depth INTEGER, head INTEGER, weights FLOAT[]""",
    # what the model would say if it ended after a block (logit lens). depth: -1 after the embedding, then the block;
    # logp, rank: of the token that was written, rank 1 = the most probable; top: the most probable one
    "lens": """
        generation_id VARCHAR, position INTEGER, depth INTEGER, logp FLOAT, rank INTEGER, top_text VARCHAR,
        top_logp FLOAT""",
    # training texts where a neuron's activation, or the norm of a head's output, is largest: each document once
    "component_context": """
        model_id VARCHAR, kind VARCHAR, depth INTEGER, number INTEGER, rank INTEGER, document_id VARCHAR,
        token_position INTEGER, value FLOAT""",
    # activations of a neuron over the corpus: counts[i] of them lie between edges[i] and edges[i + 1]
    "neuron_activation": """
        model_id VARCHAR, depth INTEGER, number INTEGER, edges FLOAT[], counts INTEGER[], mean FLOAT""",
    # tokens whose logits a neuron's output direction raises and lowers most, per unit of its activation
    "component_tokens": """
        model_id VARCHAR, kind VARCHAR, depth INTEGER, number INTEGER, promoted VARCHAR[], promoted_by FLOAT[],
        suppressed VARCHAR[], suppressed_by FLOAT[]""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "component_model": ("model_id",),
    "component_taught": ("run_id", "generation_id", "position", "document_id"),
    "component_effect": ("generation_id", "position"),
    "component_measured": ("generation_id", "position", "kind", "depth", "number"),
    "component_attention": ("generation_id", "position", "depth", "head"),
    "lens": ("generation_id", "position", "depth"),
    "component_context": ("model_id", "kind", "depth", "number", "rank"),
    "neuron_activation": ("model_id", "depth", "number"),
    "component_tokens": ("model_id", "kind", "depth", "number"),
}

ORDER: dict[str, tuple[str, ...]] = {
    "component_taught": ("run_id", "generation_id", "position", "document_id"),
    "component_effect": ("generation_id", "position"),
    "component_measured": ("generation_id", "position", "kind", "depth", "number", "chosen"),
    "component_attention": ("generation_id", "position", "depth", "head"),
    "lens": ("generation_id", "position", "depth"),
    "component_context": ("model_id", "kind", "depth", "number", "rank"),
    "neuron_activation": ("model_id", "depth", "number"),
    "component_tokens": ("model_id", "kind", "depth", "number"),
}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("component_model", "model_id", "model", "model_id"),
    ("component_taught", "run_id", "run", "run_id"),
    ("component_taught", "generation_id", "generation", "generation_id"),
    ("component_taught", "document_id", "document", "document_id"),
    ("component_effect", "generation_id", "generation", "generation_id"),
    ("component_measured", "generation_id", "generation", "generation_id"),
    ("component_attention", "generation_id", "generation", "generation_id"),
    ("lens", "generation_id", "generation", "generation_id"),
    ("component_context", "model_id", "model", "model_id"),
    ("component_context", "document_id", "document", "document_id"),
    ("neuron_activation", "model_id", "model", "model_id"),
    ("component_tokens", "model_id", "model", "model_id"),
)

"""Columns of the tables that every size of the synthetic database fills, in the order of its rows."""

_WHERE = ("run_id", "generation_id", "position")
COLUMNS = {
    "model": ("model_id", "name", "family", "n_params", "n_layers", "stage", "parent", "tokenizer_id"),
    "run": ("run_id", "model_id", "method", "damping", "settings", "seconds", "device"),
    "coverage": ("model_id", "kind", "name", "n_params"),
    "layer": ("model_id", "layer", "name", "kind", "depth"),
    "evaluation": ("model_id", "method", "metric", "value", "detail"),
    "calibration": (
        "model_id", "method", "damping", "slope", "low", "high", "held_out_slope", "n", "how"),
    "calibration_bin": ("model_id", "method", "bin", "predicted", "measured", "low", "high", "n"),
    "self_influence": ("run_id", "document_id", "self_influence", "grad_norm", "solve_norm", "loss"),
    "generation": ("generation_id", "prompt_id", "model_id", "text", "created_at"),
    "generation_token": (
        "generation_id", "position", "token_id", "text", "start", "stop", "logp", "foil_text", "foil_logp",
        "bits_nothing", "bits_question", "bits_documents", "bits_full", "kl_context", "kl_reversed", "js_context",
        "foil_id",
    ),
    "saliency": ("generation_id", "position", "method", "source_position", "score"),
    "reading": (
        "generation_id", "model_id", "position", "logp", "said_text", "said_logp", "bits_nothing", "bits_full",
    ),
    "citation": ("generation_id", "sentence", "part", "method", "score"),
    "ablation": ("generation_id", "design", "number", "present", "log_odds"),
    "faithfulness": ("generation_id", "method", "metric", "value", "random", "detail"),
    "target": (
        *_WHERE, "measurement", "value", "self_influence", "n_scored", "null_mean", "null_std", "null_scores",
    ),
    "influence": (
        *_WHERE, "rank", "document_id", "score", "self_influence", "grad_norm", "solve_norm",
        "query_self_influence", "layer_scores",
    ),
    "influence_position": (*_WHERE, "document_id", "shares", "loss_influences"),
    "relabel": (*_WHERE, "document_id", "token_position", "token_ids", "texts", "influences", "probabilities"),
    "candidate": ("generation_id", "position", "document_id", "via", "rank", "value"),
}  # fmt: skip

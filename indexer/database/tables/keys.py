"""What names a row of each table. DuckDB is not asked to enforce it (an index costs 4.6 times the file): `check` is."""

from indexer.database.tables import LATER_SUBJECTS

KEYS: dict[str, tuple[str, ...]] = {
    "document": ("document_id",),
    "model": ("model_id",),
    "layer": ("model_id", "layer"),
    "coverage": ("model_id", "kind", "name"),
    "run": ("run_id",),
    "prompt": ("prompt_id",),
    "prompt_part": ("prompt_id", "part"),
    "prompt_token": ("tokenizer_id", "prompt_id", "token_position"),
    "generation": ("generation_id",),
    "generation_token": ("generation_id", "position"),
    "reading": ("generation_id", "model_id", "position"),
    "candidate": ("generation_id", "position", "document_id", "via"),
    "target": ("run_id", "generation_id", "position", "measurement"),
    "influence": ("run_id", "generation_id", "position", "document_id"),
    "influence_position": ("run_id", "generation_id", "position", "document_id"),
    "relabel": ("run_id", "generation_id", "position", "document_id", "token_position"),
    "self_influence": ("run_id", "document_id"),
    "document_token": ("tokenizer_id", "document_id", "token_position"),
    "saliency": ("generation_id", "position", "method", "source_position"),
    "citation": ("generation_id", "sentence", "part", "method"),
    "ablation": ("generation_id", "design", "number"),
    "faithfulness": ("generation_id", "method", "metric"),
    "evaluation": ("model_id", "method", "metric", "detail"),
}
for subject in LATER_SUBJECTS:
    KEYS |= subject.KEYS

# tables whose rows several parts of a build may write again (two sizes share a tokenizer): the last part's row is kept
REPEATED = (
    "document",
    "model",
    "layer",
    "coverage",
    "run",
    "prompt",
    "prompt_part",
    "prompt_token",
    "document_token",
    "self_influence",
    "evaluation",
    "calibration",
    "calibration_bin",
    "component_model",
    "corpus_group",
    "document_group",
    "set_text",
)

# columns that differ between two runs of the same work
VOLATILE = {"meta": ("created_at", "config"), "run": ("seconds", "device"), "generation": ("created_at",)}

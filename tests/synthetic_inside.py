"""Heads and neurons of the synthetic database: drawn numbers, split so that every sum of the schema holds.

Each model has four heads over two key-value heads and twelve neurons a block. Head 1.1 reads the word before the end of
the prompt and writes the token.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.synthetic_reading import with_ends

HEADS, KV_HEADS, NEURONS = 4, 2, 12
KEPT, CONTEXTS = 6, 4  # neurons of a list, training contexts of a component
COPIES = (1, 1)  # depth and number of the head that matters most
COLUMNS = {
    "component_model": ("model_id", "n_heads", "n_kv_heads", "n_neurons", "head_width", "notice"),
    "component_taught": (
        "run_id", "generation_id", "position", "document_id", "head_scores", "kv_head_scores", "neurons",
        "neuron_scores", "neuron_rest", "bias_score",
    ),
    "component_effect": (
        "generation_id", "position", "direct_heads", "total_heads", "direct_mlp", "total_mlp", "neurons",
        "direct_neurons", "total_neurons", "direct_embedding", "direct_bias", "logit", "against",
    ),
    "component_measured": ("generation_id", "position", "kind", "depth", "number", "chosen", "predicted", "measured"),
    "component_attention": ("generation_id", "position", "depth", "head", "weights"),
    "lens": ("generation_id", "position", "depth", "logp", "rank", "top_text", "top_logp"),
    "component_context": ("model_id", "kind", "depth", "number", "rank", "document_id", "token_position", "value"),
    "neuron_activation": ("model_id", "depth", "number", "edges", "counts", "mean"),
    "component_tokens": (
        "model_id", "kind", "depth", "number", "promoted", "promoted_by", "suppressed", "suppressed_by",
    ),
}  # fmt: skip

Rows = dict[str, list[tuple[Any, ...]]]


def inside(
    one: Mapping[str, Sequence[tuple[Any, ...]]], texts: Mapping[str, str], documents: Sequence[tuple[str, int]]
) -> Rows:
    """Rows of one size, from those that it has already. texts: of its prompts; documents: id and number of tokens."""
    model_id, n_blocks = one["model"][0][0], one["model"][0][4]
    rng = np.random.default_rng(n_blocks)
    rows: Rows = {"component_model": [(model_id, HEADS, KV_HEADS, NEURONS, 8, "")]}
    prompt_of = {generation_id: prompt_id for generation_id, prompt_id, *_ in one["generation"]}
    for generation_id, position, _, text, _, _, logp, *_ in one["generation_token"]:
        n_read = len(with_ends(texts[prompt_of[generation_id]])) - 1 + position
        _at_token(rows, (generation_id, position), text, float(logp), n_blocks, n_read, rng)
    layers = {row[:3] + (row[4],): row[-1] for row in one["influence"]}
    rows["component_taught"] = [
        (*row[:4], *_taught(layers[row[:4]], n_blocks, rng)) for row in one["influence_position"]
    ]
    rows["faithfulness"] = [
        (generation_id, "component", metric, value, random, "")
        for generation_id in prompt_of
        for metric, value, random in (
            ("rank_correlation_heads", 0.875, None), ("rank_correlation_neurons", 0.75, None),
            ("top_five_heads", 2.5, 0.25),
        )
    ]  # fmt: skip
    _of_model(rows, model_id, n_blocks, documents, rng)
    return rows


def _at_token(rows: Rows, where: tuple[str, int], text: str, logp: float, n_blocks: int, n_read: int, rng: Any) -> None:
    direct, total = (rng.normal(scale=0.2, size=n_blocks * HEADS) for _ in range(2))
    strong = COPIES[0] * HEADS + COPIES[1]
    direct[strong], total[strong] = 1.5, 2.0
    neurons = [rng.normal(scale=0.1, size=n_blocks * NEURONS) for _ in range(2)]
    order = np.argsort(-np.abs(neurons[1]), kind="stable")[:KEPT]
    mlp = [each.reshape(n_blocks, NEURONS).sum(1) for each in neurons]
    direct32, mlp32 = direct.astype(np.float32), mlp[0].astype(np.float32)
    logit = float(direct32.sum(dtype=np.float64) + mlp32.sum(dtype=np.float64)) + 0.5 - 0.25
    against = " London" if where[1] == 1 else ""
    _add(
        rows, "component_effect",
        (*where, direct32, total, mlp32, mlp[1], order, neurons[0][order], neurons[1][order], 0.5, -0.25, logit,
         against),
    )  # fmt: skip
    heads = np.argsort(-np.abs(total), kind="stable")
    for kind, width, effects, chosen in (
        ("head", HEADS, total, [*heads[:3], *heads[-2:]]),
        ("neuron", NEURONS, neurons[1], order[:4]),
    ):
        for i, place in enumerate(chosen):
            predicted = float(effects[place])
            why = "random" if kind == "head" and i >= 3 else "strongest"
            measured = predicted * float(rng.uniform(0.8, 1.2))
            at = (kind, int(place) // width, int(place) % width)
            _add(rows, "component_measured", (*where, *at, why, predicted, measured))
    for place in range(n_blocks * HEADS):
        weights = rng.uniform(0.1, 1, n_read)
        if place == strong:
            weights[max(n_read - where[1] - 2, 0)] += 20
        _add(rows, "component_attention", (*where, place // HEADS, place % HEADS, weights / weights.sum()))
    for depth in range(-1, n_blocks):
        far = n_blocks - 1 - depth
        best = (text, logp) if not far else (" Rome", logp - 0.5 * far + 0.3)
        _add(rows, "lens", (*where, depth, logp - 1.5 * far, 1 + 7 * far, best[0], min(best[1], 0.0)))


def _taught(scores: Any, n_blocks: int, rng: Any) -> tuple[Any, ...]:
    """Splits the layers of each block, q k v o gate up down, as they belong to components; the embedding is in none."""
    blocks = np.asarray(scores, dtype=np.float64)[:-1].reshape(n_blocks, 7)
    heads = np.concatenate([_parts(float(of[0] + of[3]), HEADS, rng) for of in blocks])
    kv_heads = np.concatenate([_parts(float(of[1] + of[2]), KV_HEADS, rng) for of in blocks])
    neurons = np.concatenate([_parts(float(of[4:].sum()), NEURONS, rng) for of in blocks])
    order = np.argsort(-np.abs(neurons), kind="stable")[:KEPT]
    rest = neurons.sum() - neurons[order].sum()
    return heads, kv_heads, order, neurons[order], float(rest) - 0.001, 0.001


def _parts(total: float, n: int, rng: Any) -> Any:
    values = rng.normal(scale=abs(total) / n + 1e-4, size=n)
    return values + (total - values.sum()) / n


def _of_model(rows: Rows, model_id: str, n_blocks: int, documents: Sequence[tuple[str, int]], rng: Any) -> None:
    for kind, width in (("head", HEADS), ("neuron", NEURONS)):
        for depth, number in np.ndindex(n_blocks, width):
            found = rng.choice(len(documents), CONTEXTS, replace=False)
            for rank, i in enumerate(found, start=1):
                document_id, n_tokens = documents[i]
                place = int(rng.integers(1, n_tokens - 1))
                _add(rows, "component_context", (model_id, kind, depth, number, rank, document_id, place, 5.0 / rank))
    for depth, number in np.ndindex(n_blocks, NEURONS):
        counts = rng.integers(0, 500, 8)
        _add(rows, "neuron_activation", (model_id, depth, number, np.linspace(-1, 3, 9), counts, 0.25))
        promoted, suppressed = [" Paris", " Lima", " Oslo"], [" the", " of"]
        _add(
            rows, "component_tokens",
            (model_id, "neuron", depth, number, promoted, [1.5, 1.0, 0.5], suppressed, [-1.0, -0.5]),
        )  # fmt: skip


def _add(rows: Rows, table: str, row: tuple[Any, ...]) -> None:
    rows.setdefault(table, []).append(row)

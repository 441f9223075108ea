"""EDGE: drawn rows about heads and neurons of the large database: four blocks of eight heads and 344 neurons.

Every token has its effects, lens and attention; its first three documents are split by components, whose sums are those
of their layers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from indexer.database.shard import write_shard

BLOCKS, HEADS, KV_HEADS, NEURONS = 4, 8, 4, 344
SPLIT, KEPT, CONTEXTS, REPLACED = 3, 20, 8, 4  # documents and neurons of a token, contexts, tokens that are measured


def write_components(models: Sequence[str], ids: Any, folder: Path) -> None:
    """Of every model; ids: of the documents."""
    rng, n = np.random.default_rng(0), len(models)
    sizes = {"n_heads": HEADS, "n_kv_heads": KV_HEADS, "n_neurons": NEURONS, "head_width": 16, "notice": ""}
    write_shard(
        folder, "component_model", {"model_id": list(models)} | {name: [value] * n for name, value in sizes.items()}
    )
    for kind, width in (("head", HEADS), ("neuron", NEURONS)):
        model, depth, number, rank = (of.reshape(-1) for of in np.indices((n, BLOCKS, width, CONTEXTS)))
        columns = {"model_id": np.array(models)[model], "kind": [kind] * len(rank), "depth": depth, "number": number}
        columns |= {"rank": rank + 1, "document_id": rng.choice(ids, len(rank)), "value": 9.0 - rank}
        write_shard(folder, "component_context", columns | {"token_position": rng.integers(0, 20, len(rank))}, kind)
    model, depth, number = (of.reshape(-1) for of in np.indices((n, BLOCKS, NEURONS)))
    place = {"model_id": np.array(models)[model], "depth": depth, "number": number}
    edges, counts = np.tile(np.linspace(-2, 2, 25), (len(model), 1)), rng.integers(0, 999, (len(model), 24))
    write_shard(folder, "neuron_activation", place | {"edges": edges, "counts": counts, "mean": edges[:, 3]})
    words, by = [[f"word{i}" for i in range(10)]] * len(model), rng.normal(size=(len(model), 10))
    named = {"promoted": words, "promoted_by": by, "suppressed": words, "suppressed_by": by}
    write_shard(folder, "component_tokens", place | {"kind": ["neuron"] * len(model)} | named)


def write_inside(target: dict[str, Any], documents: Any, scores: Any, n_read: int, rng: Any, folder: Path) -> None:
    """target: run_id, generation_id, position of n tokens   documents, scores: of the first SPLIT of each  # [n, SPLIT]
    n_read: tokens of every prompt"""
    n = len(target["position"])
    of = {column: target[column] for column in ("generation_id", "position")}
    _taught(target, documents, scores, rng, folder)
    heads, mlp = (rng.normal(size=(2, n, size)).astype(np.float32) for size in (BLOCKS * HEADS, BLOCKS))
    neurons, some = _kept(n, rng), rng.normal(size=(2, n, KEPT))
    sums = heads[0].sum(1, dtype=np.float64) + mlp[0].sum(1, dtype=np.float64)
    effects = {"direct_heads": heads[0], "total_heads": heads[1], "direct_mlp": mlp[0], "total_mlp": mlp[1]}
    effects |= {"neurons": neurons, "direct_neurons": some[0], "total_neurons": some[1], "logit": sums}
    nothing = np.zeros(n)
    write_shard(
        folder,
        "component_effect",
        of | effects | {"direct_embedding": nothing, "direct_bias": nothing, "against": [""] * n},
    )
    depths = BLOCKS + 1
    logp = -rng.uniform(0.1, 9, n * depths)
    lens = {"depth": np.tile(np.arange(-1, BLOCKS), n), "logp": logp, "rank": rng.integers(1, 4096, n * depths)}
    lens |= {"top_text": ["word1"] * len(logp), "top_logp": logp / 2}
    write_shard(folder, "lens", _repeated(of, depths) | lens)
    chosen = np.flatnonzero(target["position"] < REPLACED)
    _measured({column: values[chosen] for column, values in of.items()}, rng, folder)
    _attention(of, n_read, rng, folder)


def _taught(target: dict[str, Any], documents: Any, scores: Any, rng: Any, folder: Path) -> None:
    n = documents.size
    heads, kv_heads, some = (
        rng.normal(size=(n, size)).astype(np.float32) for size in (BLOCKS * HEADS, BLOCKS * KV_HEADS, KEPT)
    )
    rest = scores.reshape(-1) - sum(each.sum(1, dtype=np.float64) for each in (heads, kv_heads, some))
    parts = {"head_scores": heads, "kv_head_scores": kv_heads, "neurons": _kept(n, rng), "neuron_scores": some}
    parts |= {"neuron_rest": rest, "bias_score": np.zeros(n), "document_id": documents.reshape(-1)}
    write_shard(folder, "component_taught", _repeated(target, SPLIT) | parts)


def _measured(of: dict[str, Any], rng: Any, folder: Path) -> None:
    kinds = [("head", i // HEADS, i % HEADS) for i in range(10)]
    kinds += [("neuron", 0, i) for i in range(20)]
    n = len(of["position"])
    columns = {name: [kind[i] for kind in kinds] * n for i, name in enumerate(("kind", "depth", "number"))}
    columns["chosen"] = ["strongest", "random"] * (15 * n)
    effects = rng.normal(size=(2, 30 * n))
    write_shard(
        folder, "component_measured", _repeated(of, 30) | columns | {"predicted": effects[0], "measured": effects[1]}
    )


def _attention(of: dict[str, Any], n_read: int, rng: Any, folder: Path) -> None:
    each = BLOCKS * HEADS
    rows = _repeated(of, each)
    lengths = n_read + rows["position"]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    weights = np.round(rng.random(offsets[-1], dtype=np.float32) ** 8, 3)
    place = np.tile(np.arange(each), len(of["position"]))
    rows |= {"depth": place // HEADS, "head": place % HEADS}
    write_shard(
        folder,
        "component_attention",
        rows | {"weights": pa.ListArray.from_arrays(pa.array(offsets), pa.array(weights))},
    )


def _kept(n: int, rng: Any) -> Any:
    """Neurons of n tokens, none twice  # [n, KEPT]"""
    return (rng.integers(0, BLOCKS * NEURONS, (n, 1)) + np.arange(KEPT) * 61) % (BLOCKS * NEURONS)


def _repeated(of: dict[str, Any], times: int) -> dict[str, Any]:
    return {column: np.repeat(values, times) for column, values in of.items()}

"""EDGE: ten million drawn influence rows to measure with: `python -m tests.benchmarks.large_database FOLDER`.

Three models of one family, 29 layers each; every generated token keeps 20 documents at either end of its ranking, the
first 20 with position shares, as the demo does. Written in chunks through the same shards and the same publication.
"""

import hashlib
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from indexer.corpus.document import document_id
from indexer.database.publish import publish
from indexer.database.shard import write_in_order, write_shard
from indexer.journal.lock import lock
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from tests.benchmarks.large_inside import SPLIT, write_components, write_inside
from tests.benchmarks.large_many import CORPUS, SOURCES, TOPICS, write_many, write_sets
from tests.benchmarks.large_measured import DAMPING, write_beside, write_measured
from tests.benchmarks.large_prompts import N_TOKENS, write_attributions, write_prompt_parts

MODELS = {"large-s": 460_000, "large-m": 1_710_000, "large-l": 7_380_000}
N_LAYERS, N_POSITIONS, KEPT, N_SCORED, DOCUMENT_TOKENS = 29, 24, 20, 300, 24
CHUNK = 200  # prompts
TOKENIZER = "7e57ab1e00000000"
WORDS = [f"word{i}" for i in range(500)]
FEW = 20  # words that an answer begins with


def build_large(folder: Path, rows: int = 10_000_000, documents: int = 100_000) -> tuple[Path, dict[str, float]]:
    """Publish about `rows` influence rows; returns the snapshot and the seconds of writing and of publishing."""
    per_prompt = len(MODELS) * N_POSITIONS * 2 * KEPT
    n_prompts = max(1, round(rows / per_prompt))
    chunks = [f"{model}-{first}" for model in MODELS for first in range(0, n_prompts, CHUNK)]
    texts = sorted(document_texts(documents), key=document_id)  # as a build lays them out
    ids = np.array([document_id(text) for text in texts])
    begun = time.monotonic()
    with lock(folder):
        parts = stage(folder, "corpus", key(documents=documents, version=2), ["all"], partial(_corpus, texts, ids))
        parts += stage(folder, "prompts", key(prompts=n_prompts, version=2), ["all"], partial(_prompts, n_prompts, ids))
        parts += stage(folder, "scores", key(ids=len(ids), prompts=n_prompts), chunks, partial(_scores, ids, n_prompts))
        written = time.monotonic()
        # drawn to be timed: sums of groups and copied words do not agree with each other as those of a build do
        with patch("indexer.database.publish.broken_invariants", return_value=[]):
            path = publish(folder, parts)
    return path, {"write": written - begun, "publish": time.monotonic() - written}


def document_texts(n: int) -> list[str]:
    """Distinct texts of 22 words, two fewer than tokens: the ends are tokens too."""
    rng = np.random.default_rng(0)
    return [" ".join([f"doc{i}", *rng.choice(WORDS, DOCUMENT_TOKENS - 3)]) for i in range(n)]


def model_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def prompt_ids(n: int) -> list[str]:
    return [hashlib.sha256(f"prompt {i}".encode()).hexdigest()[:16] for i in range(n)]


def generation_id(name: str, prompt: str) -> str:
    return key(model=name, prompt=prompt)


def _corpus(texts: list[str], ids: Any, part: Partition) -> None:
    n = len(texts)
    document = {
        "document_id": ids,
        "corpus": [CORPUS] * n,
        "title": [text.split()[0] for text in texts],
        "source": [SOURCES[i % 3] for i in range(n)],
        "topic": [TOPICS[i % 40] for i in range(n)],
        "text": texts,
    }
    write_in_order(part.folder, "document", [document])
    for name in MODELS:
        drawn = np.random.default_rng(0).uniform(0.1, 3, n).astype(np.float32)
        columns = dict.fromkeys(("self_influence", "grad_norm", "solve_norm", "loss"), drawn)
        write_shard(
            part.folder, "self_influence", {"run_id": [model_id(name)] * n, "document_id": ids, **columns}, name
        )
    words = [["<end>", *text.split(), "<end>"] for text in texts]
    stops = [np.cumsum([0, *(len(word) + 1 for word in each[1:-1])]) for each in words]
    write_shard(
        part.folder,
        "document_token",
        {
            "tokenizer_id": [TOKENIZER] * (n * DOCUMENT_TOKENS),
            "document_id": np.repeat(ids, DOCUMENT_TOKENS),
            "token_position": np.tile(np.arange(DOCUMENT_TOKENS), n),
            "text": [word for each in words for word in each],
            "start": np.concatenate([[0, *stop] for stop in stops]),
            "stop": np.concatenate([[0, *(stop[1:] - 1), stop[-1] - 1] for stop in stops]),
            "read_in": [0] * (n * DOCUMENT_TOKENS),
            "learned": [position > 0 for position in range(DOCUMENT_TOKENS)] * n,
        },
    )


def _prompts(n: int, ids: Any, part: Partition) -> None:
    prompts = prompt_ids(n)
    write_shard(
        part.folder,
        "prompt",
        {
            "prompt_id": prompts,
            "text": [f"The capital of country {i} is" for i in range(n)],
            "kind": ["completion"] * n,
            "topic": [f"topic {i % 40}" for i in range(n)],
            "answer": [WORDS[i % 500] for i in range(n)],
        },
    )
    write_prompt_parts(TOKENIZER, prompts, part.folder)
    models = [model_id(name) for name in MODELS]
    write_shard(
        part.folder,
        "model",
        {
            "model_id": models,
            "name": list(MODELS),
            "family": ["large"] * 3,
            "n_params": list(MODELS.values()),
            "n_layers": [4] * 3,
            "stage": ["pretrained"] * 3,
            "parent": [""] * 3,
            "tokenizer_id": [TOKENIZER] * 3,
        },
    )
    write_components(models, ids, part.folder)
    write_measured(dict(zip(models, MODELS.values(), strict=True)), part.folder)
    write_sets(models, ids, N_LAYERS, part.folder)
    runs = {"run_id": models, "model_id": models, "method": ["ekfac"] * 3, "damping": [DAMPING] * 3}
    runs |= {"settings": ['{"rank": 32}'] * 3, "seconds": [60.0] * 3, "device": ["cpu"] * 3}
    write_shard(part.folder, "run", runs)
    layers = [(model, i) for model in models for i in range(N_LAYERS)]
    write_shard(
        part.folder,
        "layer",
        {
            "model_id": [model for model, _ in layers],
            "layer": [i for _, i in layers],
            "name": [f"layer {i}" for _, i in layers],
            "kind": ["embedding" if i == N_LAYERS - 1 else ("attention", "mlp")[i % 2] for _, i in layers],
            "depth": [i // 7 for _, i in layers],
        },
    )


def _scores(ids: Any, n_prompts: int, part: Partition) -> None:
    name, first = str(part.value).rsplit("-", 1)
    rng = np.random.default_rng(part.seed)
    chosen = prompt_ids(n_prompts)[int(first) : int(first) + CHUNK]
    generations = np.array([generation_id(name, prompt) for prompt in chosen])
    n, model = len(generations), model_id(name)
    write_shard(
        part.folder,
        "generation",
        {
            "generation_id": generations,
            "prompt_id": chosen,
            "model_id": [model] * n,
            "text": [" ".join(rng.choice(WORDS, N_POSITIONS)) for _ in range(n)],
            "created_at": [datetime(2026, 1, 1)] * n,
        },
    )
    n_targets = n * N_POSITIONS
    target = {
        "run_id": [model] * n_targets,
        "generation_id": np.repeat(generations, N_POSITIONS),
        "position": np.tile(np.arange(N_POSITIONS), n),
    }
    full = rng.uniform(0.1, 3, n_targets)
    written = rng.choice(WORDS, n_targets)
    written[::N_POSITIONS] = rng.choice(WORDS[:FEW], n)  # sizes often begin alike
    write_shard(
        part.folder,
        "generation_token",
        {
            **{column: target[column] for column in ("generation_id", "position")},
            "token_id": rng.integers(0, 4096, n_targets),
            "text": [f" {word}" for word in written],
            "start": np.tile(np.arange(N_POSITIONS) * 6, n),
            "stop": np.tile(np.arange(N_POSITIONS) * 6 + 5, n),
            "logp": -full * np.log(2),
            "bits_nothing": full + 2,
            "bits_question": [2.0] * n_targets,
            "bits_documents": [0.0] * n_targets,
            "bits_full": full,
        },
    )
    null = rng.normal(size=(n_targets, 100)).astype(np.float32)
    write_shard(
        part.folder,
        "target",
        {
            **target,
            "measurement": ["logp"] * n_targets,
            "n_scored": [N_SCORED] * n_targets,
            "null_mean": null.mean(1),
            "null_std": null.std(1),
            "null_scores": null,
        },
    )
    documents, scores = _pairs(ids, target, n_targets, rng, part.folder)
    target["position"] = np.asarray(target["position"])
    write_inside(target, documents, scores, N_TOKENS, rng, part.folder)
    write_many(target, documents[:, 0], ids, KEPT, N_SCORED, N_LAYERS, rng, part.folder)
    write_attributions(generations, int(first), N_POSITIONS, rng, part.folder)
    others = [model_id(each) for each in MODELS if each != name]
    write_beside(generations.tolist(), others, N_POSITIONS, rng, part.folder)


def _pairs(ids: Any, target: dict[str, Any], n_targets: int, rng: Any, folder: Path) -> tuple[Any, Any]:
    """The first documents of every token, and the sums of their linear layers  # [n_targets, SPLIT] each"""
    layer_scores = rng.normal(size=(n_targets, 2 * KEPT, N_LAYERS)).astype(np.float32)
    layer_scores[:, :KEPT] += 1
    layer_scores[:, KEPT:] -= 1
    order = np.argsort(-layer_scores.sum(-1, dtype=np.float64), axis=1)
    layer_scores = np.take_along_axis(layer_scores, order[..., None], 1).reshape(-1, N_LAYERS)
    ranks = np.concatenate([np.arange(1, KEPT + 1), np.arange(N_SCORED - KEPT + 1, N_SCORED + 1)])
    first = rng.integers(0, len(ids), (n_targets // N_POSITIONS, 1))
    pools = (first + np.arange(N_SCORED) * 317) % len(ids)  # the candidates of each answer, each once
    within = np.argsort(rng.random((n_targets, N_SCORED), dtype=np.float32), axis=1)[:, : 2 * KEPT]
    picked = np.take_along_axis(np.repeat(pools, N_POSITIONS, axis=0), within, axis=1)
    many = {column: np.repeat(values, 2 * KEPT) for column, values in target.items()}
    write_shard(
        folder,
        "influence",
        {
            **many,
            "rank": np.tile(ranks, n_targets),
            "document_id": ids[picked].reshape(-1),
            "score": layer_scores.sum(1, dtype=np.float64),
            "self_influence": rng.uniform(1, 2, len(layer_scores)),
            "grad_norm": rng.uniform(1, 2, len(layer_scores)),
            "solve_norm": rng.uniform(1, 2, len(layer_scores)),
            "query_self_influence": rng.uniform(1, 2, len(layer_scores)),
            "layer_scores": layer_scores,
        },
    )
    n_heated = n_targets * KEPT
    write_shard(
        folder,
        "influence_position",
        {
            **{column: np.repeat(values, KEPT) for column, values in target.items()},
            "document_id": ids[picked[:, :KEPT]].reshape(-1),
            "shares": rng.normal(size=(n_heated, DOCUMENT_TOKENS)).astype(np.float32),
            "loss_influences": rng.normal(size=(n_heated, DOCUMENT_TOKENS)).astype(np.float32),
        },
    )
    generations = target["generation_id"][::N_POSITIONS]
    write_shard(
        folder,
        "candidate",
        {
            "generation_id": np.repeat(generations, N_SCORED),
            "document_id": ids[pools].reshape(-1),
            "via": ["index"] * pools.size,
            "rank": np.tile(np.arange(1, N_SCORED + 1), len(generations)),
            "value": rng.normal(size=pools.size),
        },
    )
    linear = layer_scores.reshape(n_targets, 2 * KEPT, N_LAYERS)[:, :SPLIT, :-1]
    return ids[picked[:, :SPLIT]], linear.sum(-1, dtype=np.float64)


if __name__ == "__main__":
    print(build_large(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:])))

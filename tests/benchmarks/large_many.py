"""EDGE: drawn rows about many tokens, many documents and many prompts of the large database: words and whole answers,
sources and topics, target sets, verbatim spans, and replacements of documents' tokens.

A word has three tokens; each span keeps as many documents at either end as a token does.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.database.shard import write_shard

SOURCES, TOPICS, CORPUS = ("Factbook", "WordNet", "GeoNames"), [f"topic {i}" for i in range(40)], "large"
GROUPS = [("", ""), *(("source", each) for each in SOURCES), *(("topic", each) for each in TOPICS)]
SETS, N_TEXTS, SCORED, N_CURVE = ("capitals", "complaints", "style"), 200, 0.015, 400  # share of documents at each end
WORD, HEATED, PLACES, EVERY, LABELS = 3, 3, 5, 4, 3  # tokens of a word; documents with shares; tokens with replacements


def write_sets(models: Sequence[str], ids: Any, n_layers: int, folder: Path) -> None:
    """Of the whole database: groups of the documents, and the target sets of every model."""
    n = len(ids)
    counts = [n, *(len(range(i, n, 3)) for i in range(3)), *(len(range(i, n, 40)) for i in range(40))]
    write_shard(folder, "corpus_group", _groups(1) | {"n_documents": counts})
    texts = [
        (name, side, i) for name in SETS for side in ("", "against")[: 1 + (name == "style")] for i in range(N_TEXTS)
    ]
    write_shard(
        folder,
        "set_text",
        {
            "name": [name for name, _, _ in texts],
            "number": [i for _, _, i in texts],
            "side": [side for _, side, _ in texts],
            "prompt": [f"The capital of country {i} is" for _, _, i in texts],
            "completion": [f" word{i}" for _, _, i in texts],
        },
    )
    for model in models:
        for name in SETS:
            _write_set(model, name, ids, n_layers, folder)


def _write_set(model: str, name: str, ids: Any, n_layers: int, folder: Path) -> None:
    rng, n = np.random.default_rng(len(name)), len(ids)
    of = {"run_id": model, "name": name}
    estimates = np.sort(rng.normal(size=n).astype(np.float32))[::-1]
    kept = max(1, round(SCORED * n))
    ranks = np.concatenate([np.arange(1, kept + 1), np.arange(n - kept + 1, n + 1)])
    layer_scores = rng.normal(size=(2 * kept, n_layers)).astype(np.float32)
    layer_scores[:, 0] += np.where(ranks > kept, -9, 9)
    for end in (slice(kept), slice(kept, 2 * kept)):
        layer_scores[end] = layer_scores[end][np.argsort(-layer_scores[end].sum(1, dtype=np.float64))]
    norms = {column: rng.uniform(1, 2, 2 * kept) for column in ("self_influence", "grad_norm", "solve_norm")}
    scores = {"rank": ranks, "document_id": rng.permutation(ids)[: 2 * kept], "estimate": estimates[ranks - 1], **norms}
    scores |= {"score": layer_scores.sum(1, dtype=np.float64), "layer_scores": layer_scores}
    shard = f"{model}-{name}"
    write_shard(folder, "set_influence", _each(of, 2 * kept) | scores, shard)
    null = rng.normal(size=100).astype(np.float32)
    numbers = {"n_texts": N_TEXTS, "n_tokens": 3 * N_TEXTS, "value": -2.0, "self_influence": 1.0, "n_documents": n}
    numbers |= {"n_scored": 2 * kept, "null_mean": null.mean(), "null_std": null.std(), "rank_correlation": 0.9}
    target = {"against": "", **numbers, "estimate_error": 0.01}
    lists = {"null_scores": null[None], "null_estimates": null[None]}
    write_shard(folder, "set_target", _each(of | target, 1) | lists, shard)
    places = np.unique(np.linspace(1, n, N_CURVE).astype(int))
    curve = {"place": places, "estimate": estimates[places - 1]}
    curve |= {"total": np.cumsum(estimates, dtype=np.float64)[places - 1]}
    write_shard(folder, "set_curve", _each(of, len(places)) | curve, shard)
    amounts = {"score": rng.normal(size=len(GROUPS)), "error": rng.uniform(0.1, 1, len(GROUPS))}
    write_shard(folder, "set_group", _each(of, len(GROUPS)) | _groups(1) | amounts, shard)


def write_many(
    target: dict[str, Any], first: Any, ids: Any, kept: int, n_scored: int, n_layers: int, rng: Any, folder: Path
) -> None:
    """target: run_id, generation_id, position of n tokens, those of one answer together   first: the document of rank 1
    of each  # [n]   kept: documents at either end of a span"""
    target = {column: np.asarray(values) for column, values in target.items()}
    n, each = len(target["position"]), int(np.max(target["position"])) + 1
    many = {column: np.repeat(values, len(GROUPS)) for column, values in target.items()}
    drawn = rng.normal(size=n * len(GROUPS)).astype(np.float32)
    write_shard(folder, "group_influence", many | _groups(n) | {"score": drawn})
    answers = {column: target[column][::each] for column in ("run_id", "generation_id")}
    _write_spans(answers, each, ids, kept, n_scored, n_layers, rng, folder)
    _write_verbatim(answers["generation_id"], each, ids, rng, folder)
    chosen = np.flatnonzero(target["position"] % EVERY == 0)
    _write_relabel({column: values[chosen] for column, values in target.items()}, first[chosen], rng, folder)


def _write_spans(
    answers: dict[str, Any], each: int, ids: Any, kept: int, n_scored: int, n_layers: int, rng: Any, folder: Path
) -> None:
    n_answers, n_words = len(answers["run_id"]), each // WORD
    first = np.array([*range(0, n_words * WORD, WORD), 0])
    last = np.array([*(first[:-1] + WORD - 1), each - 1])
    n_spans = len(first)
    n = n_answers * n_spans
    at = {column: np.repeat(values, n_spans) for column, values in answers.items()}
    at["span"] = np.tile(np.arange(n_spans), n_answers)
    kind = np.tile(["word"] * n_words + ["answer"], n_answers)
    place = {"first": np.tile(first, n_answers), "last": np.tile(last, n_answers)}
    place |= {"start": place["first"] * 6, "stop": place["last"] * 6 + 5}
    of_answer = {column: at[column] for column in ("generation_id", "span")}
    write_shard(folder, "span", of_answer | {"kind": kind} | place)
    null = rng.normal(size=(n, 100)).astype(np.float32)
    values = {"measurement": ["logp"] * n, "value": np.full(n, -3.0), "self_influence": np.ones(n)}
    values |= {"n_scored": np.full(n, n_scored), "null_mean": null.mean(1), "null_std": null.std(1)}
    write_shard(folder, "span_target", at | values | {"null_scores": null})
    layer_scores = rng.normal(size=(n, 2 * kept, n_layers)).astype(np.float32)
    layer_scores[:, :kept] += 1
    layer_scores[:, kept:] -= 1
    order = np.argsort(-layer_scores.sum(-1, dtype=np.float64), axis=1)
    layer_scores = np.take_along_axis(layer_scores, order[..., None], 1).reshape(-1, n_layers)
    begin = rng.integers(0, len(ids), (n_answers, 1))
    pools = np.repeat((begin + np.arange(n_scored) * 317) % len(ids), n_spans, axis=0)  # of an answer, each once
    within = np.argsort(rng.random((n, n_scored), dtype=np.float32), axis=1)[:, : 2 * kept]
    documents = ids[np.take_along_axis(pools, within, axis=1)]
    ranks = np.concatenate([np.arange(1, kept + 1), np.arange(n_scored - kept + 1, n_scored + 1)])
    columns = ("self_influence", "grad_norm", "solve_norm", "query_self_influence")
    norms = {column: rng.uniform(1, 2, len(layer_scores)) for column in columns}
    scores = {"rank": np.tile(ranks, n), "document_id": documents.reshape(-1), **norms}
    scores |= {"score": layer_scores.sum(1, dtype=np.float64), "layer_scores": layer_scores}
    write_shard(folder, "span_influence", _repeated(at, 2 * kept) | scores)
    shares = {name: rng.normal(size=(n * HEATED, 24)).astype(np.float32) for name in ("shares", "loss_influences")}
    heated = {"document_id": documents[:, :HEATED].reshape(-1), **shares}
    write_shard(folder, "span_position", _repeated(at, HEATED) | heated)
    proposed = {"document_id": documents[:, :kept].reshape(-1), "via": ["index"] * (n * kept)}
    proposed |= {"rank": np.tile(np.arange(1, kept + 1), n), "value": rng.normal(size=n * kept)}
    write_shard(folder, "span_candidate", _repeated(of_answer, kept) | proposed)


def _write_verbatim(generations: Any, each: int, ids: Any, rng: Any, folder: Path) -> None:
    first = np.arange(0, each - 5, 6)
    at = {"generation_id": np.repeat(generations, len(first)), "first": np.tile(first, len(generations))}
    n = len(at["first"])
    found = {"last": at["first"] + 4, "n_places": np.full(n, PLACES), "n_documents": np.full(n, PLACES)}
    write_shard(folder, "verbatim", at | found)
    places = (rng.integers(0, len(ids), (n, 1)) + np.arange(PLACES) * 317) % len(ids)
    where = {"document_id": ids[places].reshape(-1), "token_position": rng.integers(0, 18, n * PLACES)}
    write_shard(folder, "verbatim_place", _repeated(at, PLACES) | where)


def _write_relabel(target: dict[str, Any], documents: Any, rng: Any, folder: Path) -> None:
    """Every token between the ends of a document has a few plausible replacements."""
    each = 22
    n = len(documents) * each
    labels = {"token_ids": np.tile([7, 8, 9], (n, 1)), "texts": [[" word7", " word8", " word9"]] * n}
    labels |= {"influences": np.sort(rng.normal(size=(n, LABELS)).astype(np.float32))[:, ::-1]}
    labels |= {"probabilities": rng.uniform(0.01, 0.3, (n, LABELS)).astype(np.float32)}
    place = {
        "document_id": np.repeat(documents, each),
        "token_position": np.tile(np.arange(1, each + 1), len(documents)),
    }
    write_shard(folder, "relabel", _repeated(target, each) | place | labels)


def _groups(times: int) -> dict[str, Any]:
    """The columns that name a group, all groups so many times."""
    names, values = ([group[i] for group in GROUPS] * times for i in range(2))
    return {"corpus": [CORPUS] * len(names), "column_name": names, "value": values}


def _each(of: dict[str, Any], n: int) -> dict[str, Any]:
    return {column: [value] * n for column, value in of.items()}


def _repeated(of: dict[str, Any], times: int) -> dict[str, Any]:
    return {column: np.repeat(values, times) for column, values in of.items()}

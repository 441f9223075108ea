"""Columns of `target` and `influence`, the same for every method and for spans."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.index.document_norms import DocumentNorms
from indexer.tracing.explain import Explained, Kept
from indexer.tracing.heat import Where, position_columns
from indexer.tracing.own_influence import OwnInfluence

Columns = dict[str, Any]


def target_columns(run: str, kept: Kept, value: NDArray[np.float32] | None, own: OwnInfluence | None) -> Columns:
    """value: [Q] the measurements, nats   own: of the queries; NULL where a method has none"""
    n = len(kept.places)
    return {
        "run_id": [run] * n,
        "generation_id": [generation for generation, _ in kept.places],
        "position": [position for _, position in kept.places],
        "measurement": ["logp"] * n,
        "value": [None] * n if value is None else value[kept.queries],
        "self_influence": [None] * n if own is None else own.last[kept.queries],
        "n_scored": [each.n_scored for each in kept.ranked],
        "null_mean": [float(scores.mean()) if len(scores) else None for scores in kept.null],
        "null_std": [float(scores.std(ddof=1)) if len(scores) > 1 else None for scores in kept.null],
        "null_scores": kept.null,
    }


def influence_columns(
    run: str,
    kept: Kept,
    norms: DocumentNorms,
    ids: Sequence[str],
    own: OwnInfluence | None = None,
    by_layer: bool = True,
) -> Columns:
    """ids: of the documents, in corpus order   own: of the queries; NULL where a method has none   by_layer: False
    for a method that has one number for each pair."""
    query = np.repeat(np.arange(len(kept.places)), [len(each.documents) for each in kept.ranked]).tolist()
    nothing = np.zeros(0, dtype=np.int64)  # a chunk may have no target of this kind
    documents: NDArray[np.int64] = np.concatenate([nothing, *(each.documents for each in kept.ranked)])
    asked = np.asarray(kept.queries, dtype=np.int64)[query]  # [rows]
    layers = np.concatenate(kept.layers) if kept.layers else np.zeros((0, 1), dtype=np.float32)  # [rows, L]
    return {
        "run_id": [run] * len(query),
        "generation_id": [kept.places[q][0] for q in query],
        "position": [kept.places[q][1] for q in query],
        "rank": np.concatenate([nothing, *(each.ranks for each in kept.ranked)]),
        "document_id": [ids[i] for i in documents],
        "score": layers.sum(-1),
        "self_influence": norms.self_influence[documents],
        "grad_norm": norms.grad_norm[documents],
        "solve_norm": norms.solve_norm[documents],
        "query_self_influence": [None] * len(query) if own is None else own.met(asked, documents),
        "layer_scores": layers if by_layer else [None] * len(query),
    }


def scored_span_columns(
    run: str, made: Explained, where: Where, norms: DocumentNorms, ids: Sequence[str]
) -> dict[str, Columns]:
    """Columns of `span_target`, `span_influence` and `span_position`: those of a token's, by the number of the span."""
    return {
        "span_target": numbered(target_columns(run, made.spans, made.values, made.own)),
        "span_influence": numbered(influence_columns(run, made.spans, norms, ids, made.own)),
        "span_position": numbered(position_columns(run, made.spans, where.shares, where.learned, ids)),
    }


def numbered(columns: Mapping[str, Any]) -> Columns:
    """Of spans, which have a number in the place of a token's position."""
    return {"span" if name == "position" else name: of for name, of in columns.items()}

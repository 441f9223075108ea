"""Rows of documents in a result, of a token or of several together, as the records that stored scores have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dashboard.database.queries.documents import document_tokens
from dashboard.database.queries.rows import Snapshot, total_heat
from dashboard.database.records import Heat, KeptScores

Row = Mapping[str, Any]


def scores_of(rows: Sequence[tuple[int, Row]]) -> KeptScores:
    """rows: (token, document); what a document does not say is NaN."""
    depth = max((len(row.get("layer_scores") or ()) for _, row in rows), default=0)

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([number(row.get(name)) for _, row in rows], dtype=np.float64)

    layers = [row.get("layer_scores") or [float("nan")] * depth for _, row in rows]
    return KeptScores(
        position=np.array([position for position, _ in rows], dtype=np.int64),
        rank=np.array([row.get("rank", 0) for _, row in rows], dtype=np.int64),
        document_id=[row["document_id"] for _, row in rows],
        score=column("score"),
        self_influence=column("self_influence"),
        grad_norm=column("grad_norm"),
        solve_norm=column("solve_norm"),
        query_self_influence=column("query_self_influence"),
        layer_scores=np.array(layers, dtype=np.float64).reshape(len(rows), depth),
    )


def proposers_of(rows: Iterable[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["document_id"], set()).update(row.get("via", ()))
    return found


def heats_of(
    snapshot: Snapshot, tokenizer_id: str, rows: Iterable[Row], ids: Sequence[str], width: int
) -> dict[str, Heat]:
    """What the tokens of these documents carry: sums over `width` rows, of those that have all of them."""
    stored: dict[str, list[Row]] = {}
    for row in rows:
        if row["document_id"] in ids and row.get("shares"):
            stored.setdefault(row["document_id"], []).append(row)
    whole = {key: of for key, of in stored.items() if len(of) == width}
    texts = document_tokens(snapshot, tokenizer_id, list(whole))
    return {key: total_heat(texts.get(key, []), of) for key, of in whole.items()}


def number(value: Any) -> float:
    """NaN for what is none."""
    return float(value) if isinstance(value, int | float) else float("nan")

"""From rows about components, of the database or of a new answer, to records: lists become arrays. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard.database.components.name import Component
from dashboard.database.components.records import Effect, Floats, LensPoint, Replaced, Taught

Row = Mapping[str, Any]
NAN = float("nan")


def effect_of(row: Row) -> Effect:
    arrays = ("direct_heads", "total_heads", "direct_mlp", "total_mlp", "direct_neurons", "total_neurons")
    values: dict[str, Any] = {name: _array(row, name) for name in arrays}
    values |= {name: _number(row, name) for name in ("direct_embedding", "direct_bias", "logit")}
    return Effect(
        position=row["position"], neurons=list(row.get("neurons") or ()), against=row.get("against") or "", **values
    )


def taught_of(row: Row) -> Taught:
    values: dict[str, Any] = {name: _array(row, name) for name in ("head_scores", "kv_head_scores", "neuron_scores")}
    values |= {name: _number(row, name) for name in ("neuron_rest", "bias_score")}
    neurons = np.asarray(row["neurons"] if row.get("neurons") is not None else (), dtype=np.int64).tolist()
    return Taught(position=row["position"], document_id=row["document_id"], neurons=neurons, **values)


def replaced_of(row: Row) -> Replaced:
    return Replaced(
        row["position"],
        Component(row["kind"], row["depth"], row["number"]),
        row.get("chosen") or "",
        _number(row, "predicted"),
        _number(row, "measured"),
    )


def lens_of(row: Row) -> LensPoint:
    said = row.get("top_text") or ""
    return LensPoint(row["position"], row["depth"], _number(row, "logp"), row["rank"], said, _number(row, "top_logp"))


def weights_of(row: Row) -> Floats:
    return _array(row, "weights")


def _array(row: Row, name: str) -> Floats:
    return np.asarray(row.get(name) if row.get(name) is not None else (), dtype=np.float64)


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    return NAN if value is None else float(value)

"""Columns of the tables of groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.groups.cells import Group
from indexer.groups.scores import GroupScores
from indexer.tracing.explain import Place

Columns = dict[str, Any]


def group_columns(run: str, places: Sequence[Place], scores: GroupScores) -> Columns:
    """Columns of `group_influence`, of one query for each place."""
    n, G = len(places), len(scores.groups)
    return {
        "run_id": [run] * (n * G),
        "generation_id": [generation for generation, _ in places for _ in range(G)],
        "position": np.repeat([position for _, position in places], G),
        **{name: [value for _ in range(n) for value in values] for name, values in _names(scores.groups).items()},
        "score": scores.values.ravel(),
        "error": [None] * (n * G) if scores.errors is None else scores.errors.ravel(),
    }


def corpus_group_columns(groups: Sequence[Group]) -> Columns:
    """Columns of `corpus_group`."""
    return {**_names(groups), "n_documents": [of.n_documents for of in groups]}


def _names(groups: Sequence[Group]) -> dict[str, list[str]]:
    return {
        "corpus": [of.corpus for of in groups],
        "column_name": [of.column for of in groups],
        "value": [of.value for of in groups],
    }


def groups_json(scores: GroupScores) -> list[dict[str, Any]]:
    """A record for each group, its numbers by query."""
    errors = None if scores.errors is None else [_plain(of) for of in scores.errors.T]
    return [
        {
            "corpus": of.corpus,
            "column": of.column,
            "value": of.value,
            "n_documents": of.n_documents,
            "score": _plain(scores.values[:, g]),
            "error": None if errors is None else errors[g],
        }
        for g, of in enumerate(scores.groups)
    ]


def _plain(numbers: Any) -> list[float | None]:
    return [float(number) if np.isfinite(number) else None for number in numbers]

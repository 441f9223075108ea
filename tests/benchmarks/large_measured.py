"""EDGE: drawn rows about what was measured of the large database's sizes and answers: how far figures agree with
training, what a predicted nat is worth, how faithful maps of the prompt are; and what every size makes of the answers
of the others.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.database.shard import write_shard
from tests.benchmarks.large_prompts import METHODS

FIGURES = ("lds", "lds_without_self", "recall@10", "mrr", "mislabelled@10", "mislabelled_auc")
ESTIMATORS = ("ekfac", "bm25", "self-influence", "random")
AGREEMENT = ("comprehensiveness", "sufficiency", "top_drop")  # of a map of the prompt
BINS, DAMPING = 10, 0.1


def write_measured(sizes: Mapping[str, int], folder: Path) -> None:
    """sizes: model_id -> parameters"""
    rng = np.random.default_rng(0)
    kinds = [("explained", "blocks.*.attn", 0.9), ("norms", "norm", 0.03), ("not explained", "positions", 0.07)]
    parts = [(model, kind, name, round(share * n)) for model, n in sizes.items() for kind, name, share in kinds]
    _write(folder, "coverage", ("model_id", "kind", "name", "n_params"), parts)
    figures = [
        (model, method, metric, value, json.dumps({"low": value - 0.1, "high": value + 0.1, "how": "drawn"}))
        for model in sizes
        for method in ESTIMATORS
        for metric, value in zip(FIGURES, rng.uniform(0.2, 0.9, len(FIGURES)).tolist(), strict=True)
    ]
    _write(folder, "evaluation", ("model_id", "method", "metric", "value", "detail"), figures)
    worth = [(model, "ekfac", DAMPING, 0.25, 0.2, 0.3, 1.1, 500, "drawn") for model in sizes]
    names = ("model_id", "method", "damping", "slope", "low", "high", "held_out_slope", "n", "how")
    _write(folder, "calibration", names, worth)
    bins = [(model, "ekfac", i, i / 10, i / 10, i / 10 - 0.1, i / 10 + 0.1, 50) for model in sizes for i in range(BINS)]
    names = ("model_id", "method", "bin", "predicted", "measured", "low", "high", "n")
    _write(folder, "calibration_bin", names, bins)


def write_beside(generations: Sequence[str], readers: Sequence[str], n_positions: int, rng: Any, folder: Path) -> None:
    """Of every answer: what the other sizes (readers) make of its tokens, and how faithful its maps are."""
    n = len(generations) * len(readers) * n_positions
    full = rng.uniform(0.1, 3, n)
    write_shard(
        folder,
        "reading",
        {
            "generation_id": np.repeat(list(generations), len(readers) * n_positions),
            "model_id": np.tile(np.repeat(list(readers), n_positions), len(generations)),
            "position": np.tile(np.arange(n_positions), len(generations) * len(readers)),
            "logp": -full * np.log(2),
            "said_text": [" word1"] * n,
            "said_logp": -full * np.log(2) / 2,
            "bits_nothing": full + 2,
            "bits_full": full,
        },
    )
    each = [(method, metric) for method in METHODS for metric in AGREEMENT]
    of, n = [each[i % len(each)] for i in range(len(generations) * len(each))], len(generations) * len(each)
    agreed = {"method": [method for method, _ in of], "metric": [metric for _, metric in of], "detail": [""] * n}
    agreed |= {"value": rng.uniform(0, 3, n), "random": rng.uniform(0, 1, n)}
    write_shard(folder, "faithfulness", {"generation_id": np.repeat(list(generations), len(each))} | agreed)


def _write(folder: Path, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    write_shard(folder, table, {name: [row[i] for row in rows] for i, name in enumerate(names)})

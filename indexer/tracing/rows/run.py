"""EDGE: the row of `run`: which model, which method, and the settings that replay it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.database.shard import write_shard
from indexer.size.fitted import Fitted


def write_run(
    folder: Path, fitted: Fitted, run: str, method: str, seconds: float, facts: Mapping[str, Any] | None = None
) -> None:
    """seconds: wall time of the parts behind it, whenever they were computed: those that the journal lists.

    facts: what is to be known of this run alone, beside its settings.
    """
    config, loaded = fitted.member.config, fitted.member.loaded
    settings: dict[str, Any] = {
        "factors": asdict(config.factors),
        "scores": asdict(config.scores),
        "n_train": fitted.member.n_train,
        **(facts or {}),
    }
    if fitted.factors.coverage:
        settings["coverage"] = asdict(fitted.factors.coverage)
    about = {
        "run_id": run,
        "model_id": loaded.weights_hash,
        "method": method,
        "damping": config.scores.damping,
        "settings": json.dumps(settings),
        "seconds": seconds,
        "device": str(loaded.device),
    }
    write_shard(folder, "run", {name: [value] for name, value in about.items()})

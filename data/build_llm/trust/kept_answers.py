"""EDGE: what models answered that were trained elsewhere, in one small file: a retraining costs minutes, its answers
some numbers. A model is found by the key of its training, so that what was trained otherwise is trained anew.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from indexer.evaluate.measures.removal import Answered
from indexer.journal.files import replace_file


def read(path: Path) -> dict[str, Answered]:
    """By key; nothing where there is no file."""
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Answered(np.array(each["logp"], dtype=np.float64), np.array(each["right"], dtype=bool))
        for name, each in stored.items()
    }


def write(path: Path, found: Mapping[str, Answered]) -> None:
    """A line a model, in the order of the keys."""
    lines = [
        f"{json.dumps(name)}: {json.dumps({'logp': each.logp.tolist(), 'right': each.right.tolist()})}"
        for name, each in sorted(found.items())
    ]
    replace_file(path, "{\n" + ",\n".join(lines) + "\n}\n", path.name)

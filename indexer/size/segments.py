"""EDGE: the steps of a training between its kept checkpoints, as it recorded them or as its recipe says."""

import json
from pathlib import Path
from typing import Any

from attribution.curvature.segments import Steps
from attribution.errors import BadInput
from indexer.config.config import Recipe
from indexer.size.member import Member
from indexer.training.loop import OPTIMISER, WEIGHT_DECAY, rate_sum

RECORDED = ("rate_sum", "batch", "optimiser", "decay")  # of a segment, since training writes them


def is_followed(member: Member) -> bool:
    """Whether it is known which steps led to the checkpoints and to the model itself."""
    listed = _listed(member)
    if not {each["path"] for each in listed}.issuperset(_wanted(member)):
        return False
    return member.entry.recipe is not None or all(name in each for each in listed for name in RECORDED)


def steps(member: Member) -> list[Steps]:
    """That led to each checkpoint of the configuration and to the model, from the one before; what training kept
    besides is passed over.

    Raises BadInput where they are not known.
    """
    if not is_followed(member):
        raise BadInput(
            f"expected the steps between the checkpoints in {_file(member)}, or a recipe of {member.entry.name}, found "
            "neither; leave out source"
        )
    rows = [row for of in member.own_rows for row in of.rows() if row.targets().any()]
    tokens = sum(int(row.targets().sum()) for row in rows) / max(1, member.n_documents)
    found, rate, start = [], 0.0, 0
    for each in _listed(member):
        told = each if "rate_sum" in each else _by_recipe(member.entry.recipe, len(rows), range(start, each["epoch"]))
        rate, start = rate + float(told["rate_sum"]), int(each["epoch"])
        if each["path"] in _wanted(member):
            found.append(Steps(rate, int(told["batch"]), tokens, str(told["optimiser"]), float(told["decay"])))
            rate = 0.0
    return found


def _by_recipe(recipe: Recipe | None, n_rows: int, epochs: range) -> dict[str, Any]:
    assert recipe is not None  # noqa: S101 - `is_followed` has seen it
    rate = rate_sum(recipe, n_rows, epochs)
    return {"rate_sum": rate, "batch": recipe.batch, "optimiser": OPTIMISER, "decay": WEIGHT_DECAY}


def _file(member: Member) -> Path:
    return Path(member.entry.path) / "checkpoints.json"


def _listed(member: Member) -> list[dict[str, Any]]:
    file = _file(member)
    listed: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    return sorted(listed, key=lambda each: int(each["epoch"]))


def _wanted(member: Member) -> list[str]:
    return [*(f"checkpoints/{Path(path).name}" for path in member.entry.checkpoints), "."]

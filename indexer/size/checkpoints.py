"""EDGE: the weights that were kept on the way to a model's last ones, and the learning rates that led there."""

import json
from dataclasses import replace
from pathlib import Path

from attribution.errors import BadInput
from indexer.size.member import Member, open_member


def at_checkpoint(member: Member, path: Path) -> Member:
    """The same model and documents at the weights of a checkpoint, which has the final model's tokenizer."""
    name = f"{member.entry.name}.{path.name}"
    entry = replace(member.entry, name=name, path=str(path), tokenizer=member.entry.path, checkpoints=())
    return open_member(entry, member.config)


def learning_rates(member: Member) -> list[float]:
    """Of each checkpoint and the model, from `checkpoints.json`, which training writes beside the weights."""
    file = Path(member.entry.path) / "checkpoints.json"
    if not file.is_file():
        raise BadInput(
            f"expected the learning rates of the checkpoints in {file}, found no such file; leave out tracin"
        )
    rates = {each["path"]: float(each["learning_rate"]) for each in json.loads(file.read_text())}
    names = [*(f"checkpoints/{path.name}" for path in member.entry.checkpoints), "."]
    missing = [name for name in names if name not in rates]
    if missing:
        raise BadInput(f"expected the learning rate of {missing[0]} in {file}, found none; train again")
    return [rates[name] for name in names]

"""EDGE: the weights that were kept on the way to a model's last ones, and the learning rates that led there."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from attribution.errors import BadInput
from attribution.loading.adapter import is_adapter, read_adapter
from indexer.corpus.stored import at_hand
from indexer.size.member import Member, open_member


def at_checkpoint(member: Member, path: str) -> Member:
    """The same model and documents at the weights of a checkpoint, which has the final model's tokenizer."""
    name = f"{member.entry.name}.{Path(path).name.replace('@', '-')}"
    last = member.entry.tokenizer or member.entry.path
    tokenizer = "" if is_adapter(Path(last)) and not read_adapter(Path(last)).has_tokenizer else last
    entry = replace(member.entry, name=name, path=path, tokenizer=tokenizer, checkpoints=())
    return open_member(entry, member.config, partial(at_hand, member.config.output.folder))


def learning_rates(member: Member) -> list[float]:
    """Of each checkpoint and the model, from `checkpoints.json`, which training writes beside the weights."""
    file = Path(member.entry.path) / "checkpoints.json"
    if not file.is_file():
        raise BadInput(
            f"expected the learning rates of the checkpoints in {file}, found no such file; leave out tracin"
        )
    rates = {each["path"]: float(each["learning_rate"]) for each in json.loads(file.read_text())}
    names = [*(f"checkpoints/{Path(path).name}" for path in member.entry.checkpoints), "."]
    missing = [name for name in names if name not in rates]
    if missing:
        raise BadInput(f"expected the learning rate of {missing[0]} in {file}, found none; train again")
    return [rates[name] for name in names]

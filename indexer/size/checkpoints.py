"""EDGE: the weights that were kept on the way to a model's last ones, the learning rates and the steps that led there:
as training recorded them, or as its recipe says."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from attribution.exact.segments import Steps
from attribution.loading.adapter import is_adapter, read_adapter
from indexer.config.config import Recipe
from indexer.corpus.stored import at_hand
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member, open_member
from indexer.training.loop import OPTIMISER, WEIGHT_DECAY, rate_sum
from indexer.training.store import recorded

RECORDED = ("rate_sum", "batch", "optimiser", "decay")  # of a segment, since training writes them


def at_checkpoint(member: Member, path: str) -> Member:
    """The same model and documents at the weights of a checkpoint, which has the final model's tokenizer."""
    name = f"{member.entry.name}.{Path(path).name.replace('@', '-')}"
    last = member.entry.tokenizer or member.entry.path
    tokenizer = "" if is_adapter(Path(last)) and not read_adapter(Path(last)).has_tokenizer else last
    entry = replace(member.entry, name=name, path=path, tokenizer=tokenizer, checkpoints=())
    return open_member(entry, member.config, partial(at_hand, member.config.output.folder))


def fits(folder: Path, fitted: Fitted) -> list[Fitted]:
    """The size at each of its checkpoints, fitted if need be; the model itself is the last."""
    member = fitted.member
    return [*(fit(folder, at_checkpoint(member, path)) for path in member.entry.checkpoints), fitted]


def seen_rates(member: Member) -> list[float]:
    """Σ η over the sights of a document since the checkpoint before, for each checkpoint and the model: mean learning
    rate times epochs, from `checkpoints.json`, which training writes beside the weights.

    What was kept besides is part of the way to the next that is wanted; one that is named again has no way of its own.
    Raises BadInput where one is not there, or is no later than the one before it.
    """
    file = _file(member)
    if not file.is_file():
        raise BadInput(
            f"expected the learning rates of the checkpoints in {file}, found no such file; leave out tracin"
        )
    listed, wanted = _listed(member), _wanted(member)
    names = [each["path"] for each in listed]
    last = max((names.index(name) for name in wanted if name in names), default=-1)
    known = {each["path"] for each in listed if "learning_rate" in each}
    missing = [name for name in (*wanted, *names[: last + 1]) if name not in known]
    if missing:
        raise BadInput(
            f"expected the learning rate of {missing[0]} in {file}, found none; train again, or leave out tracin"
        )
    on_the_way, start = [], 0
    for i, each in enumerate(listed[: last + 1]):
        if i > 0 and each["epoch"] == start:
            raise BadInput(
                f"expected whole epochs between the checkpoints in {file}, found {names[i - 1]} and {names[i]} in "
                f"epoch {start}; say in epoch how often each document was seen by then, or leave out tracin"
            )
        on_the_way.append(each["learning_rate"] * (each["epoch"] - start))
        start = each["epoch"]
    found, passed = [], 0
    for name in wanted:
        until = max(passed, names.index(name) + 1)
        found.append(sum(on_the_way[passed:until]))
        passed = until
    return found


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
    learned = [of for of in member.own_rows if of.targets().any()]
    rows = [row for of in learned for row in of.rows() if row.targets().any()]
    tokens = sum(int(row.targets().sum()) for row in rows) / max(1, len(learned))
    listed, found, passed = _listed(member), [], 0  # entries of the file that belong to an earlier segment
    every, start = [], 0
    for each in listed:
        told = all(name in each for name in RECORDED)
        every.append(each if told else _by_recipe(member.entry.recipe, len(rows), start, each["epoch"]))
        start = each["epoch"]
    names = [each["path"] for each in listed]
    for name in _wanted(member):
        until = max(passed, names.index(name) + 1)  # one that is named again has no steps of its own
        rate, last = sum(each["rate_sum"] for each in every[passed:until]), every[until - 1]
        found.append(Steps(rate, last["batch"], tokens, last["optimiser"], last["decay"]))
        passed = until
    return found


def _by_recipe(recipe: Recipe | None, n_rows: int, start: int, stop: int) -> dict[str, Any]:
    assert recipe is not None  # noqa: S101 - `is_followed` has seen it
    rate = rate_sum(recipe, n_rows, range(start, stop))
    return {"rate_sum": rate, "batch": recipe.batch, "optimiser": OPTIMISER, "decay": WEIGHT_DECAY}


def _file(member: Member) -> Path:
    return Path(member.entry.path) / "checkpoints.json"


def _listed(member: Member) -> list[dict[str, Any]]:
    return recorded(Path(member.entry.path))


def _wanted(member: Member) -> list[str]:
    return [*(f"checkpoints/{Path(path).name}" for path in member.entry.checkpoints), "."]

"""EDGE: what training leaves on disk: float16 weights, kept checkpoints, the loss curve, and a state to resume from."""

import csv
import hashlib
import io
import json
import math
import pickle
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from attribution.errors import BadInput
from indexer.config.config import Recipe
from indexer.journal.files import file_hash, sync, sync_tree

WEIGHTS, TRAINED = "model.safetensors", "training.json"
_RECORDED = {  # of a checkpoint, as far as others read it
    "path": str,
    "epoch": int,
    "learning_rate": float,
    "rate_sum": float,
    "batch": int,
    "optimiser": str,
    "decay": float,
}


@dataclass(frozen=True)
class EpochRecord:
    """One line of `loss.csv`: mean loss in nats a token (of a stage of pairs, a pair), the last learning rate, wall
    seconds."""

    epoch: int
    loss: float
    learning_rate: float
    seconds: float


def fingerprint(recipe: Recipe, rows: list[list[int]], parent: Path | None, learned: object = None) -> str:
    """Hash of all that fixes the outcome, a parent's weights included: a state of anything else is never resumed."""
    start = str(parent) if parent is None else _weights_of(parent)
    content = json.dumps([asdict(recipe), rows, start, *([] if learned is None else [learned])])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _weights_of(parent: Path) -> str:
    """Hash of a folder's weights, in one file or in several; of a hub id its name."""
    if (parent / WEIGHTS).is_file():
        return file_hash(parent / WEIGHTS)
    return " ".join(f"{file.name}:{file_hash(file)}" for file in sorted(parent.glob("*.safetensors"))) or str(parent)


def trained_by(folder: Path) -> str:
    """Fingerprint of the training that made the weights in a folder; "" when they are of another origin, or changed."""
    try:
        about = json.loads((folder / TRAINED).read_bytes())
        made, weights = str(about["fingerprint"]), about["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return made if (folder / WEIGHTS).is_file() and file_hash(folder / WEIGHTS) == weights else ""


def mark_trained(folder: Path, fingerprint: str) -> None:
    """Say, beside the weights, which training made exactly them."""
    about = {"fingerprint": fingerprint, "weights": file_hash(folder / WEIGHTS)}
    scratch = folder / f"{TRAINED}.partial"
    scratch.write_text(json.dumps(about) + "\n")
    sync(scratch)
    scratch.replace(folder / TRAINED)
    sync(folder)


def save_model(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast | None, folder: Path) -> None:
    """float16 safetensors, beside the tokenizer if one is given; every file appears whole, the weights last."""
    scratch = folder.with_name(folder.name + ".partial")
    shutil.rmtree(scratch, ignore_errors=True)
    weights = {name: tensor.half() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}  # tied
    model.save_pretrained(scratch, state_dict=weights)
    described = json.loads((scratch / "config.json").read_text())
    described["dtype"] = "float16"
    (scratch / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    if tokenizer is not None:
        tokenizer.save_pretrained(scratch)
    sync_tree(scratch)
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(scratch.iterdir(), key=lambda file: file.name == WEIGHTS):
        file.replace(folder / file.name)
    sync(folder)
    scratch.rmdir()


def save_curve(records: list[EpochRecord], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "loss.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "learning_rate", "seconds"])
        writer.writerows([r.epoch, f"{r.loss:.4f}", f"{r.learning_rate:.3e}", f"{r.seconds:.1f}"] for r in records)


def save_checkpoints(kept: list[dict[str, Any]], folder: Path) -> None:
    """`checkpoints.json`: path, epoch, mean loss; mean learning rate, steps and what `SOURCE` reads of them, all since
    the checkpoint before."""
    (folder / "checkpoints.json").write_text(json.dumps(kept, indent=2) + "\n")


def recorded(folder: Path) -> list[dict[str, Any]]:
    """What `save_checkpoints` wrote there, the first epochs first; [] where there is no such file.

    Raises BadInput for one of another shape: a person may have written it.
    """
    file = folder / "checkpoints.json"
    if not file.is_file():
        return []
    try:
        found = [dict(each) | _typed(each) for each in json.loads(file.read_bytes())]
        return sorted(found, key=lambda each: int(each["epoch"]))
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError):
        raise BadInput(
            f"expected a list of checkpoints, each with a path, an epoch and finite rates, in {file}, found something "
            "else; train again, or take the file away"
        ) from None


def _typed(entry: dict[str, Any]) -> dict[str, Any]:
    made = {name: kind(entry[name]) for name, kind in _RECORDED.items() if name in entry or name in ("path", "epoch")}
    if not all(math.isfinite(value) for value in made.values() if isinstance(value, float)):
        raise ValueError
    return made


def kept_checkpoints(folder: Path) -> tuple[str, ...]:
    """The weights that training kept besides the last, the first epochs first; none where there is no such list."""
    paths = [folder / each["path"] for each in recorded(folder) if each["path"] != "."]
    return tuple(str(path) for path in paths if path.is_dir())


def state_folder(folder: Path) -> Path:
    """Beside the model while it is trained."""
    return folder.with_name(folder.name + ".state.partial")


class State:
    """The resumable state of one training run, in `<model>.state.partial/`."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = state_folder(folder) / "state.pt"
        self.fingerprint = fingerprint

    def load(self, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> list[EpochRecord]:
        """Bring model and optimiser to where training stopped; returns the finished epochs."""
        if not self.path.exists():
            return []
        try:
            state = torch.load(self.path, weights_only=True)
        except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            raise BadInput(
                f"expected the state of a training in {self.path.parent}, found another file; delete that folder"
            ) from None
        if state["fingerprint"] != self.fingerprint:
            raise BadInput(
                f"expected the training state of this recipe and corpus in {self.path.parent}, "
                "found another's; delete that folder to start again"
            )
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        return [EpochRecord(**record) for record in state["records"]]

    def save(self, model: torch.nn.Module, optimiser: torch.optim.Optimizer, records: list[EpochRecord]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch, content = self.path.with_suffix(".new"), io.BytesIO()  # torch's own writer does not say why it failed
        torch.save(
            {
                "fingerprint": self.fingerprint,
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "records": [asdict(record) for record in records],
            },
            content,
        )
        scratch.write_bytes(content.getbuffer())
        sync(scratch)
        scratch.replace(self.path)
        sync(self.path.parent)

    def drop(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)

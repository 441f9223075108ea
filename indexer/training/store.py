"""EDGE: what training leaves on disk: float16 weights, kept checkpoints, the loss curve, and a state to resume from."""

import csv
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from attribution.errors import BadInput
from indexer.config import Recipe


@dataclass(frozen=True)
class EpochRecord:
    """One line of `loss.csv`: mean loss in nats a token, the last learning rate, wall seconds."""

    epoch: int
    loss: float
    learning_rate: float
    seconds: float


def fingerprint(recipe: Recipe, rows: list[list[int]], start: str) -> str:
    """Hash of all that fixes the outcome: a state of another recipe, corpus or parent is never resumed."""
    content = json.dumps([asdict(recipe), rows, start])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def save_model(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast | None, folder: Path) -> None:
    """float16 safetensors, beside the tokenizer if one is given; the folder appears whole or not at all."""
    scratch = folder.with_name(folder.name + ".partial")
    shutil.rmtree(scratch, ignore_errors=True)
    weights = {name: tensor.half() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}  # tied
    model.save_pretrained(scratch, state_dict=weights)
    described = json.loads((scratch / "config.json").read_text())
    described["dtype"] = "float16"
    (scratch / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    if tokenizer is not None:
        tokenizer.save_pretrained(scratch)
    folder.mkdir(parents=True, exist_ok=True)
    for file in scratch.iterdir():
        file.replace(folder / file.name)
    scratch.rmdir()


def save_curve(records: list[EpochRecord], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "loss.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "learning_rate", "seconds"])
        writer.writerows([r.epoch, f"{r.loss:.4f}", f"{r.learning_rate:.3e}", f"{r.seconds:.1f}"] for r in records)


def save_checkpoints(kept: list[dict[str, Any]], folder: Path) -> None:
    """`checkpoints.json`: path, epoch, mean loss and mean learning rate since the checkpoint before."""
    (folder / "checkpoints.json").write_text(json.dumps(kept, indent=2) + "\n")


class State:
    """The resumable state of one training run, in `<model>.state.partial/`."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = folder.with_name(folder.name + ".state.partial") / "state.pt"
        self.fingerprint = fingerprint

    def load(self, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> list[EpochRecord]:
        """Bring model and optimiser to where training stopped; returns the finished epochs."""
        if not self.path.exists():
            return []
        state = torch.load(self.path, weights_only=True)
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
        scratch = self.path.with_suffix(".new")
        torch.save(
            {
                "fingerprint": self.fingerprint,
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "records": [asdict(record) for record in records],
            },
            scratch,
        )
        scratch.replace(self.path)

    def drop(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)

"""EDGE: kronfluence, as it is asked for covariances, eigenvectors and corrected eigenvalues of the linear layers.

It wraps modules in place and keeps process-wide state, so it works on a copy, best in a process of its own.
"""

import copy
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.task import Task
from kronfluence.utils.dataset import DataLoaderKwargs
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.model.head import sampled
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, pad

BATCH = 32
Tick = Callable[[int], None]
Columns = dict[str, Tensor]


class Rows(Dataset[Row]):
    """The sample, as kronfluence asks for it."""

    def __init__(self, documents: Sequence[Row]) -> None:
        self.documents = documents

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, i: int) -> Row:
        return self.documents[i]


class SummedTokenLoss(Task):
    """Summed token loss of documents; with `sample`, of labels drawn from the model by our own generator."""

    def __init__(self, names: Sequence[str], device: torch.device, seed: int, tick: Tick) -> None:
        self.names, self.device, self.tick = names, device, tick
        self.generator = torch.Generator(device).manual_seed(seed)

    def compute_train_loss(self, batch: Columns, model: nn.Module, sample: bool = False) -> Tensor:
        logits = model(input_ids=batch["ids"], use_cache=False).logits[batch["is_target"]].float()  # [n, V]
        labels = batch["ids"].roll(-1, dims=1)[batch["is_target"]]
        if sample:
            with torch.no_grad():
                labels = sampled(logits, None, self.generator)
        self.tick(len(batch["ids"]))
        return cross_entropy(logits, labels, reduction="sum")

    def compute_measurement(self, batch: Columns, model: nn.Module) -> Tensor:
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self) -> list[str]:
        return list(self.names)

    def get_attention_mask(self, batch: Columns) -> Tensor:
        position = torch.arange(batch["ids"].shape[1], device=self.device)
        return (position < batch["lengths"][:, None]).long()  # [B, T]


def kronfluence_analyzer(tracked: Tracked, folder: Path, seed: int, tick: Tick) -> Analyzer:
    """kronfluence on a copy of the model, with padding masked and the layers named."""
    model = as_linear(copy.deepcopy(tracked.loaded.model))
    task = SummedTokenLoss([layer.name for layer in tracked.linear], tracked.device, seed, tick)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old names of torch functions inside accelerate and kronfluence
        analyzer = Analyzer(
            analysis_name="fit",
            model=prepare_model(model, task),
            task=task,
            cpu=tracked.device.type == "cpu",
            disable_tqdm=True,
            output_dir=str(folder),
        )
    analyzer.set_dataloader_kwargs(DataLoaderKwargs(collate_fn=columns))
    return analyzer


def columns(rows: Sequence[Row]) -> Columns:
    """A batch as the dictionary of tensors that accelerate can move."""
    batch = pad(rows, range(len(rows)))
    return {"ids": batch.ids, "lengths": batch.lengths, "is_target": batch.is_target}


def as_linear(model: PreTrainedModel) -> PreTrainedModel:
    """`Conv1D` replaced by the `nn.Linear` that computes the same, in place: kronfluence knows only that one."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Conv1D):
                n_in, n_out = child.weight.shape
                linear = nn.Linear(n_in, n_out, device=child.weight.device, dtype=child.weight.dtype)
                linear.weight.data, linear.bias.data = child.weight.data.T.contiguous(), child.bias.data
                setattr(parent, name, linear)
    return model


def fit_linear(tracked: Tracked, sample: list[Row], fewer: list[Row], folder: Path, seed: int, tick: Tick) -> Path:
    """Covariances and eigenvectors on `sample`, corrected eigenvalues on `fewer`; returns where the files are."""
    analyzer = kronfluence_analyzer(tracked, folder, seed, tick)
    named: Any = {"factors_name": "ekfac", "factor_args": FactorArguments(strategy="ekfac")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analyzer.fit_covariance_matrices(dataset=_dataset(sample), per_device_batch_size=BATCH, **named)
        analyzer.perform_eigendecomposition(**named)
        analyzer.fit_lambda_matrices(dataset=_dataset(fewer), per_device_batch_size=BATCH, **named)
    return folder / "fit" / "factors_ekfac"


def _dataset(documents: list[Row]) -> Any:
    return Rows(documents)

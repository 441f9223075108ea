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
from kronfluence.factor.eigen import save_eigendecomposition
from kronfluence.module.tracked_module import ModuleMode, TrackedModule
from kronfluence.task import Task
from kronfluence.utils.constants import (
    ACTIVATION_COVARIANCE_MATRIX_NAME,
    ACTIVATION_EIGENVECTORS_NAME,
    GRADIENT_EIGENVECTORS_NAME,
    NUM_LAMBDA_PROCESSED,
)
from kronfluence.utils.dataset import DataLoaderKwargs
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.loading.wide_head import WideHead
from attribution.model.head import sampled
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, pad
from attribution.passes.preference import Preference

BATCH = 32  # documents, as far as they fit into TOKENS
TOKENS = 2**13  # padded tokens of a batch: what a pass keeps of them, logits above all, has to fit into memory
Tick = Callable[[int], None]  # after n rows
Columns = dict[str, Tensor]
NAME = "ekfac"
_NAMED: Any = {
    "factors_name": NAME,
    "factor_args": FactorArguments(strategy="ekfac"),
    "overwrite_output_dir": True,  # else what has the name is taken, whatever is in it
}


class Sample(Dataset[Row]):
    """The sample, as kronfluence asks for it."""

    def __init__(self, documents: Sequence[Row]) -> None:
        self.documents = documents

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, i: int) -> Row:
        return self.documents[i]


class SummedTokenLoss(Task):
    """Summed token loss of documents, or the loss of pairs; with `sample`, of labels (of preferences) drawn from the
    model by our own generator."""

    def __init__(self, names: Sequence[str], device: torch.device, seed: int, tick: Tick) -> None:
        self.names, self.device, self.tick = names, device, tick
        self.generator = torch.Generator(device).manual_seed(seed)
        self.before: dict[str, Columns] = {}  # sums that the next pass goes on from, by kind and layer

    def compute_train_loss(self, batch: Columns, model: nn.Module, sample: bool = False) -> Tensor:
        if self.before:
            go_on(model, self.before, self.device)
            self.before = {}
        read = _batch(batch)
        logits = read.joined(model(input_ids=read.rows, use_cache=False).logits)[read.is_target].float()  # [n, V]
        labels, weights = read.labels, read.weights(self.generator if sample else None)
        if sample and weights is None:
            with torch.no_grad():
                labels = sampled(logits, None, self.generator)
        self.tick(len(batch["ids"]))
        if weights is None:
            return cross_entropy(logits, labels, reduction="sum")
        return cross_entropy(logits, labels, reduction="none") @ weights.to(logits)

    def compute_measurement(self, batch: Columns, model: nn.Module) -> Tensor:
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self) -> list[str]:
        return list(self.names)

    def get_attention_mask(self, batch: Columns) -> Tensor:
        if "is_token" in batch:
            return batch["is_token"].long()  # [B, T]
        position = torch.arange(batch["ids"].shape[1], device=self.device)
        return (position < batch["lengths"][:, None]).long()  # [B, T]


def go_on(model: nn.Module, before: dict[str, Columns], device: torch.device) -> None:
    """Put the sums of an earlier pass where a pass that has just begun would put zeros: it adds to them, and the result
    is that of both passes in one."""
    for module in model.modules():
        if isinstance(module, TrackedModule):
            for kind, sums in before.items():
                module.set_factor(kind, sums[module.name].to("cpu" if kind == NUM_LAMBDA_PROCESSED else device))
            for kind in (ACTIVATION_EIGENVECTORS_NAME, GRADIENT_EIGENVECTORS_NAME):
                vectors = module.get_factor(kind)
                if vectors is not None:
                    module.set_factor(kind, vectors.to(device))
            tracker = module._trackers[ModuleMode.COVARIANCE]  # no public name says that its zeros are not wanted
            tracker._activation_covariance_initialized = ACTIVATION_COVARIANCE_MATRIX_NAME in before
            tracker._gradient_covariance_initialized = ACTIVATION_COVARIANCE_MATRIX_NAME in before


def kronfluence_analyzer(tracked: Tracked, folder: Path, seed: int, tick: Tick, n_windows: int = 1) -> Analyzer:
    """kronfluence on a copy of the model, with padding masked and the layers named.    n_windows: of each document"""
    model = as_linear(copy.deepcopy(tracked.loaded.model))
    by_document(model, [layer.name for layer in tracked.linear if layer.flat or n_windows > 1], n_windows)
    task = SummedTokenLoss([inner_name(layer, n_windows) for layer in tracked.linear], tracked.device, seed, tick)
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
    found = {"ids": batch.ids, "lengths": batch.lengths, "is_target": batch.is_target}
    if batch.preferences:
        of_pairs = torch.tensor([(of.beta, of.margin) for of in batch.preferences], dtype=torch.float64)  # [B, 2]
        found |= {"is_token": batch.is_token, "preferences": of_pairs}
    return found


def _batch(of: Columns) -> Batch:
    """What `columns` was made from."""
    preferences = tuple(Preference(*each) for each in of["preferences"].tolist()) if "preferences" in of else ()
    width = of["ids"].shape[1] // (2 if preferences else 1)
    is_token = of.get("is_token", of["is_target"])
    return Batch((), of["ids"], of["lengths"], is_token, of["is_target"], width, preferences)


def as_linear(model: PreTrainedModel) -> PreTrainedModel:
    """`Conv1D`, and classes of their own (Falcon), replaced by the `nn.Linear` that computes the same, in place:
    kronfluence knows only that one."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Conv1D):
                n_in, n_out = child.weight.shape
                linear = nn.Linear(n_in, n_out, device=child.weight.device, dtype=child.weight.dtype)
                linear.weight.data, linear.bias.data = child.weight.data.T.contiguous(), child.bias.data
                setattr(parent, name, linear)
            elif isinstance(child, nn.Linear) and type(child) not in (nn.Linear, WideHead):
                n_out, n_in = child.weight.shape
                plain = nn.Linear(n_in, n_out, bias=child.bias is not None, device="meta")
                plain.weight, plain.bias = child.weight, child.bias
                setattr(parent, name, plain)
    return model


class ByDocument(nn.Module):
    """A linear layer that works on the tokens of each document side by side: kronfluence takes every row for one, and
    every token of a layer that is given a batch as one list; a pair has two rows."""

    def __init__(self, inner: nn.Module, documents: list[int]) -> None:
        super().__init__()
        self.inner, self.documents = inner, documents

    def forward(self, x: Tensor) -> Tensor:
        """x: [B · T, in] or [B · windows, T, in] -> the same, out"""
        out: Tensor = self.inner(x.reshape(self.documents[0], -1, x.shape[-1]))
        return out.reshape(*x.shape[:-1], -1)


def by_document(model: nn.Module, names: Sequence[str], n_windows: int) -> None:
    """The named layers work on documents, in place.    n_windows: rows of each of them"""
    documents = [0]  # of the batch that the model is reading

    def count(_model: nn.Module, _args: object, given: dict[str, Tensor]) -> None:
        documents[0] = len(given["input_ids"]) // n_windows

    if names:
        model.register_forward_pre_hook(count, with_kwargs=True)
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, ByDocument(model.get_submodule(name), documents))


def inner_name(layer: Layer, n_windows: int) -> str:
    """What kronfluence calls it, where `by_document` has been."""
    return f"{layer.name}.inner" if layer.flat or n_windows > 1 else layer.name


def named_as_layers(tensors: Columns, tracked: Tracked) -> Columns:
    """What kronfluence says of the layers, under their own names."""
    names = {f"{layer.name}.inner": layer.name for layer in tracked.linear}
    return {names.get(name, name): of for name, of in tensors.items()}


def covariances(analyzer: Analyzer, rows: list[Row], batch: int) -> dict[str, Columns]:
    """Sums of a aᵀ and of δ δᵀ over the tokens of the rows, with their numbers, by kind and layer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analyzer.fit_covariance_matrices(dataset=_dataset(rows), per_device_batch_size=batch, **_NAMED)
    found: dict[str, Columns] = analyzer.load_covariance_matrices(NAME)
    return found


def give_eigenvectors(analyzer: Analyzer, found: dict[str, Columns]) -> None:
    """Before `eigenvalues`: by kind and layer, those of every layer."""
    folder = analyzer.factors_output_dir(NAME)
    folder.mkdir(parents=True, exist_ok=True)
    save_eigendecomposition(folder, found)


def eigenvalues(analyzer: Analyzer, rows: list[Row], batch: int) -> dict[str, Columns]:
    """Sums of (Q_Sᵀ g Q_A)² over the gradients g of the rows, with their number, by kind and layer.

    kronfluence takes windows for documents. Labels are sampled for every token alone, so the squares of a document's
    windows add up in expectation, and what it divides by has only to be counted anew (`of_documents`). The windows of a
    pair have one preference and are one gradient.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analyzer.fit_lambda_matrices(dataset=_dataset(rows), per_device_batch_size=batch, **_NAMED)
    found: dict[str, Columns] = analyzer.load_lambda_matrices(NAME)
    return found


def at_once(rows: Sequence[Row]) -> int:
    """Rows of a batch, by the longest of them."""
    return max(1, min(BATCH, TOKENS // max(map(len, rows))))


def windows(documents: Sequence[Row]) -> list[Row]:
    """Every window that has a target, as a document of its own; a pair as it is."""
    rows = (row for of in documents for row in ([of] if of.preference is not None else of.rows()))
    return [row for row in rows if row.targets().any()]


def of_documents(counts: dict[str, Tensor], documents: Sequence[Row]) -> dict[str, Tensor]:
    """kronfluence's number of samples by layer, as a number of documents."""
    n_rows = len(windows(documents))
    return counts if n_rows == len(documents) else {k: n.double() * len(documents) / n_rows for k, n in counts.items()}


def _dataset(documents: list[Row]) -> Any:
    return Sample(documents)

"""EDGE: kronfluence, as it is asked for the covariances of linear layers.

It wraps modules in place and keeps process-wide state, so it works on modules of its own, best in a process of its own;
the weights are those of the model.
"""

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from kronfluence.analyzer import prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.factor.covariance import fit_covariance_matrices_with_loader
from kronfluence.module.tracked_module import ModuleMode, TrackedModule
from kronfluence.task import Task
from kronfluence.utils.constants import ACTIVATION_COVARIANCE_MATRIX_NAME, GRADIENT_COVARIANCE_MATRIX_NAME
from kronfluence.utils.state import State
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.loading.wide_head import WideHead
from attribution.model.head import head_pull_back, labelled, sampled
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, pad
from attribution.passes.preference import Preference

Tick = Callable[[int], None]  # after n rows
Columns = dict[str, Tensor]


class SummedTokenLoss(Task):
    """Summed token loss of documents, or the loss of pairs; with `sample`, of labels (of preferences) drawn from the
    model by our own generator."""

    def __init__(self, tracked: Tracked, names: Sequence[str], seed: int) -> None:
        self.tracked, self.names = tracked, names
        self.tick: Tick = lambda n: None
        self.generator = torch.Generator(tracked.device).manual_seed(seed)
        self.before: dict[str, Columns] = {}  # sums that the next pass goes on from, by kind and layer

    def compute_train_loss(self, batch: Columns, model: PreTrainedModel, sample: bool = False) -> Tensor:
        """A number with the gradient of the loss, which is known in closed form: of the vocabulary no graph is kept."""
        if self.before:
            go_on(model, self.before, self.tracked.device)
            self.before = {}
        read, softcap = _batch(batch), self.tracked.softcap
        hidden = model.base_model(input_ids=read.rows, use_cache=False).last_hidden_state
        hidden = self.tracked.widened(read.joined(hidden)[read.is_target])  # [n, H]
        with torch.no_grad():
            raw, labels = self.tracked.raw_logits(hidden), read.labels  # [n, V]
            weights = read.weights(self.generator if sample else None)
            if sample and weights is None:
                labels = sampled(raw, softcap, self.generator)
            _, deltas = labelled(raw, labels, softcap)
            if weights is not None:
                deltas *= weights.to(deltas)[:, None]
            deltas = head_pull_back(self.tracked, deltas)  # [n, H]
        self.tick(len(batch["ids"]))
        return (hidden * deltas).sum()

    def compute_measurement(self, batch: Columns, model: PreTrainedModel) -> Tensor:
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self) -> list[str]:
        return list(self.names)

    def get_attention_mask(self, batch: Columns) -> Tensor:
        if "is_token" in batch:
            return batch["is_token"].long()  # [B, T]
        position = torch.arange(batch["ids"].shape[1], device=batch["ids"].device)
        return (position < batch["lengths"][:, None]).long()  # [B, T]


def go_on(model: nn.Module, before: dict[str, Columns], device: torch.device) -> None:
    """Put the sums of an earlier pass where a pass that has just begun would put zeros: it adds to them, and the result
    is that of both passes in one."""
    for module in model.modules():
        if isinstance(module, TrackedModule):
            for kind, sums in before.items():
                if module.name in sums:
                    module.set_factor(kind, sums[module.name].to(device))
            tracker = module._trackers[ModuleMode.COVARIANCE]  # no public name says that its zeros are not wanted
            tracker._activation_covariance_initialized = module.name in before[ACTIVATION_COVARIANCE_MATRIX_NAME]
            tracker._gradient_covariance_initialized = module.name in before[GRADIENT_COVARIANCE_MATRIX_NAME]


class Wrapped:
    """kronfluence's modules over the weights of a model, and the sums that they make."""

    def __init__(self, tracked: Tracked, seed: int, n_windows: int = 1) -> None:
        """n_windows: of each document"""
        self._inner = {layer.name: inner_name(layer, n_windows) for layer in tracked.linear}
        self.task = SummedTokenLoss(tracked, list(self._inner.values()), seed)
        model = as_linear(with_the_weights_of(tracked.loaded.model))
        by_document(model, [layer.name for layer in tracked.linear if layer.flat or n_windows > 1], n_windows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old names of torch functions inside accelerate and kronfluence
            self.model = prepare_model(model, self.task)
            self._state = State(cpu=tracked.device.type == "cpu")

    def covariances(
        self, layers: Sequence[Layer], batches: Iterable[Sequence[Row]], n_batches: int, before: dict[str, Columns]
    ) -> dict[str, Columns]:
        """Sums of a aᵀ and of δ δᵀ over the tokens of the rows, with their numbers, by kind and layer; added to those
        from before, which are overwritten."""
        inner = {self._inner[layer.name]: layer.name for layer in layers}
        self.task.before = {kind: {self._inner[name]: of for name, of in sums.items()} for kind, sums in before.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, found = fit_covariance_matrices_with_loader(
                self.model,
                self._state,
                self.task,
                Loader(batches, n_batches),
                FactorArguments(strategy="ekfac"),
                list(inner),
                disable_tqdm=True,
            )
        return {kind: {inner[name]: of for name, of in sums.items()} for kind, sums in found.items()}


class Loader:
    """Batches, as kronfluence asks for them."""

    def __init__(self, batches: Iterable[Sequence[Row]], n_batches: int) -> None:
        self._batches, self._n = batches, n_batches

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Columns]:
        return map(columns, self._batches)


def with_the_weights_of(model: PreTrainedModel) -> PreTrainedModel:
    """Modules of their own over the same memory; nothing of the model is changed by what is done to them."""
    shared: dict[int, Any] = {id(of): nn.Parameter(of.data, requires_grad=False) for of in model.parameters()}
    shared |= {id(of): of for of in model.buffers()}
    return copy.deepcopy(model, shared)


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


def by_document(model: PreTrainedModel, names: Sequence[str], n_windows: int) -> None:
    """The named layers work on documents, in place.    n_windows: rows of each of them"""
    documents = [0]  # of the batch that the model is reading

    def count(_model: nn.Module, _args: object, given: dict[str, Tensor]) -> None:
        documents[0] = len(given["input_ids"]) // n_windows

    if names:
        model.base_model.register_forward_pre_hook(count, with_kwargs=True)
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, ByDocument(model.get_submodule(name), documents))


def inner_name(layer: Layer, n_windows: int) -> str:
    """What kronfluence calls it, where `by_document` has been."""
    return f"{layer.name}.inner" if layer.flat or n_windows > 1 else layer.name


def windows(documents: Sequence[Row]) -> list[Row]:
    """Every window that has a target, as a document of its own; a pair as it is."""
    rows = (row for of in documents for row in ([of] if of.preference is not None else of.rows()))
    return [row for row in rows if row.targets().any()]

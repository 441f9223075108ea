"""EDGE: fits the curvature of a model on a shuffled sample of its training documents, into a factor folder.

kronfluence fits covariances, eigenvectors and corrected eigenvalues of the linear layers; it wraps modules in place
and keeps process-wide state, so it works on a copy, best in a process of its own. Labels are sampled from the model:
the true Fisher, which for a softmax is the Gauss–Newton matrix.
"""

import copy
import random
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import kronfluence
import numpy as np
import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.task import Task
from kronfluence.utils.dataset import DataLoaderKwargs
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.curvature.factors import FISHER, KRONFLUENCE, write_manifest
from attribution.curvature.fit_embedding import embedding_fisher
from attribution.curvature.ghost_norm import gradient_norms
from attribution.errors import BadInput
from attribution.model.head import sampled
from attribution.model.tracked import Tracked
from attribution.passes.batches import Document, pad

BATCH = 32
Tick = Callable[[int], None]
Columns = dict[str, Tensor]


def fit_factors(
    tracked: Tracked,
    documents: Sequence[Document],
    folder: Path,
    *,
    n_documents: int = 2000,
    n_eigenvalues: int = 2000,
    seed: int = 0,
    tick: Tick | None = None,
) -> None:
    """Fit on `n_documents` drawn with `seed`, the corrected eigenvalues on `n_eigenvalues` of them: they need every
    document's own gradient in the eigenbasis, which for large layers costs ten times a plain pass. `tick(n)` after n
    documents of a pass. The folder is complete when `factors.json` is in it.

    A document whose gradient is not finite is left out. Raises BadInput where no document has a token to learn.
    """
    tick = tick or (lambda n: None)
    sample = draw(documents, n_documents, seed)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fit(tracked, sample, n_eigenvalues, folder, seed, tick)
    except RuntimeError:  # labels from, or eigenvectors of, what is not finite
        finite = with_finite_gradient(tracked, sample)
        if len(finite) == len(sample):
            raise
        sample = finite
        _fit(tracked, sample, n_eigenvalues, folder, seed, tick)
    counts = {"documents": len(sample), "eigenvalues": min(n_eigenvalues, len(sample))}
    settings = counts | {"seed": seed, "kronfluence": kronfluence.__version__}
    write_manifest(folder, tracked, settings)


def draw(documents: Sequence[Document], n_documents: int, seed: int) -> list[Document]:
    """A random sample, shortest first: batches of one length waste no padding, and the order changes nothing."""
    learned = [document for document in documents if len(document) > document.first_target]
    if not learned:
        raise BadInput("expected documents with at least one token to learn, found none; check the corpus")
    n = min(n_documents, len(learned))
    return sorted(random.Random(seed).sample(learned, n), key=len)  # noqa: S311 - a sample, not a secret


def with_finite_gradient(tracked: Tracked, sample: list[Document]) -> list[Document]:
    """The documents whose gradient is finite; raises BadInput where there is none."""
    finite = np.isfinite(gradient_norms(tracked, sample))
    if not finite.any():
        raise BadInput(f"expected documents with a finite gradient, found none of {len(sample)}; check the weights")
    return [document for document, kept in zip(sample, finite, strict=True) if kept]


class Rows(Dataset[Document]):
    """The sample, as kronfluence asks for it."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    def __len__(self) -> int:
        return len(self.documents)

    def __getitem__(self, i: int) -> Document:
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


def columns(rows: Sequence[Document]) -> Columns:
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


def _fit(tracked: Tracked, sample: list[Document], n_eigenvalues: int, folder: Path, seed: int, tick: Tick) -> None:
    """Write all files of the factors; raises RuntimeError where they are not finite."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fitted = _fit_linear(tracked, sample, draw(sample, n_eigenvalues, seed), Path(scratch), seed, tick)
        files = {name: load_file(fitted / name) for name in KRONFLUENCE}  # without metadata, whose order is random
    if tracked.embedding:
        fisher = embedding_fisher(tracked, sample, seed, tick)
        files[FISHER] = {layer.name: of for layer, of in zip(tracked.embedding, fisher, strict=True)}
    for name, tensors in files.items():
        if not all(bool(torch.isfinite(of).all()) for of in tensors.values()):
            raise RuntimeError(f"{name} is not finite")
        save_file(tensors, folder / name)


def _fit_linear(
    tracked: Tracked, sample: list[Document], fewer: list[Document], folder: Path, seed: int, tick: Tick
) -> Path:
    analyzer = kronfluence_analyzer(tracked, folder, seed, tick)
    named: Any = {"factors_name": "ekfac", "factor_args": FactorArguments(strategy="ekfac")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analyzer.fit_covariance_matrices(dataset=_dataset(sample), per_device_batch_size=BATCH, **named)
        analyzer.perform_eigendecomposition(**named)
        analyzer.fit_lambda_matrices(dataset=_dataset(fewer), per_device_batch_size=BATCH, **named)
    return folder / "fit" / "factors_ekfac"


def _dataset(documents: list[Document]) -> Any:
    return Rows(documents)

"""EDGE: whether a model stands near a minimum of its loss, as after fine-tuning, or at the end of one from scratch.

Near a minimum a better inverse of the curvature is a better influence; after a training from scratch the weights on the
way say more than the last ones. Neither number tells by itself: the mean gradient of a finished training is small, too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.groups.products import ByLayer
from attribution.index.document_norms import DocumentNorms
from indexer.groups.grouped import Grouped
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.size.fitted import Fitted

FILE = "regime.json"
DIGITS = 4  # that are stored
MOVED, LEANING = 0.1, 0.25  # distance and mean gradient below which a fine-tuned model counts as near a minimum


@dataclass(frozen=True)
class Regime:
    """mean_gradient: ‖Σ_z ∇L(z)‖ / N over the root mean square of ‖∇L(z)‖, documents of the last stage of training;
    about 1/√N of gradients that have nothing in common, None where gradients of groups are not kept. distance:
    ‖θ − θ_p‖ / ‖θ_p‖ from the parent's weights, None without a parent of the same shapes. finetuned: the
    configuration says so (`stage`), an adapter or what it was merged into alike; nothing that was trained from scratch
    is, whatever its gradients are."""

    mean_gradient: float | None
    distance: float | None
    finetuned: bool

    @property
    def near_minimum(self) -> bool:
        """The rule by which `ekfac_cg` opens where nothing was held against retraining: of a fine-tuned model whose
        mean gradient is known and below `LEANING`, and that is not known to have gone `MOVED` or farther."""
        settled = self.mean_gradient is not None and self.mean_gradient < LEANING
        return self.finetuned and settled and (self.distance is None or self.distance < MOVED)

    @property
    def facts(self) -> dict[str, object]:
        """As `run.settings` has it."""
        return {
            "mean_gradient": self.mean_gradient,
            "parent_distance": self.distance,
            "finetuned": self.finetuned,
            "near_minimum": self.near_minimum,
        }


def regime(folder: Path, fitted: Fitted, of: Grouped | None, norms: DocumentNorms) -> Regime:
    """Measured once: it reads the gradients of all groups and two models.

    norms: of all documents of the model, those of its own stage last
    """
    member = fitted.member

    def compute(part: Partition) -> None:
        (part.folder / FILE).write_text(json.dumps(_measured(fitted, of, norms)) + "\n", encoding="utf-8")

    parent = member.parent.loaded.weights_hash if member.parent else ""
    made_of = key(run=fitted.run, groups=of.digest if of else "", parent=parent)
    [part] = stage(folder, f"regime-{member.entry.name}", made_of, ["all"], compute)
    measured = json.loads((part.folder / FILE).read_text(encoding="utf-8"))
    return Regime(**measured, finetuned=member.is_finetuned)


def _measured(fitted: Fitted, of: Grouped | None, norms: DocumentNorms) -> dict[str, float | None]:
    """As it is stored: what depends on the weights and the documents alone."""
    member = fitted.member
    own = [each.sums for each in of.stages if each.fitted is fitted] if of else []
    mean = mean_gradient(own[0], norms.grad_norm[-len(member.own_rows) :]) if own and own[0] else None
    parent = member.parent
    moved = distance(_weights(member.loaded.model), _weights(parent.loaded.model)) if parent else None
    return {"mean_gradient": _rounded(mean), "distance": _rounded(moved)}


def mean_gradient(sums: Sequence[ByLayer], grad_norm: NDArray[np.floating]) -> float | None:
    """sums: of all cells, by file and layer, [C, out, in]; a turned basis keeps the length   grad_norm: [N] nats"""
    known = grad_norm[np.isfinite(grad_norm)].astype(np.float64)
    length = float(np.sqrt(np.mean(known**2))) if len(known) else 0.0
    if not length:
        return None
    square = 0.0
    for n in range(len(sums[0])):
        whole = torch.stack([of[n].double().sum(0) for of in sums]).sum(0)  # [out, in]
        square += float(whole.square().sum())
    return float(square**0.5 / len(known) / length)


def distance(weights: Mapping[str, Tensor], parents: Mapping[str, Tensor]) -> float | None:
    """None where they have not the same shapes."""
    if {name: of.shape for name, of in weights.items()} != {name: of.shape for name, of in parents.items()}:
        return None
    moved = sum(float((of.double() - parents[name].double()).square().sum()) for name, of in weights.items())
    length = sum(float(of.double().square().sum()) for of in parents.values())
    return float((moved / length) ** 0.5) if length else None


def _weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: of.detach() for name, of in model.named_parameters()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")

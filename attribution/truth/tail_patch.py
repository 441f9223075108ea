"""Tail patch: one training step on some documents, and what it does to the answers (Chang et al. 2024, 2410.17413).

    θ' = θ − ε ‖θ‖ · g / ‖g‖,   g = ∇ of the mean token loss of the documents;   Δ = f(θ') − f(θ)

The step has a fixed length, ε of the weights' own, so that long or surprising documents win nothing by their size. No
training is repeated, so it needs no recipe; it says what one more step would do, not what training would have been.
The step is taken in float32 at least: such a short one moves a ninth of the entries of a model in bfloat16.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from attribution.model.measurement import logp
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, pad

STEP = 1e-3  # ε


def mean_logp(model: torch.nn.Module, ids: Sequence[int], first: int) -> Tensor:
    """Mean log p of `ids[first:]`, nats a token."""
    row = torch.tensor([tuple(ids)], device=next(model.parameters()).device)
    logits = model(input_ids=row, use_cache=False).logits[0, first - 1 : -1]
    return logp(logits, row[0, first:]).mean()


def mean_loss(model: torch.nn.Module, documents: Sequence[Row]) -> Tensor:
    """Mean token loss of all documents, nats; of pairs, weighted so that its gradient is that of theirs."""
    device, parts = next(model.parameters()).device, []
    for some in ([of for of in documents if (of.preference is None) is plain] for plain in (True, False)):
        if some:
            batch = pad(some, range(len(some)), device)
            logits = batch.joined(model(input_ids=batch.rows, use_cache=False).logits)[batch.is_target]
            losses = cross_entropy(logits, batch.labels, reduction="none")
            weights = batch.weights()
            parts.append(losses if weights is None else losses * weights.to(losses))
    return torch.cat(parts).mean()


def tail_patch(tracked: Tracked, documents: Sequence[Row], ids: Sequence[int], first: int) -> float:
    """Δ of the mean log p of `ids[first:]`, nats a token; the model itself is left as it was."""
    model = wide_copy(tracked.loaded.model)
    with torch.no_grad():
        before = float(mean_logp(model, ids, first))
    step(model, documents)
    with torch.no_grad():
        return float(mean_logp(model, ids, first)) - before


def wide_copy(model: torch.nn.Module) -> torch.nn.Module:
    """The model in float32, or in its own precision where that is more."""
    dtype = torch.promote_types(next(model.parameters()).dtype, torch.float32)
    return copy.deepcopy(model).to(dtype)


def step(model: torch.nn.Module, documents: Sequence[Row]) -> None:
    """θ' for θ, in place."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(mean_loss(model, documents), parameters, allow_unused=True)
    moved = [(p, g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
    weight = torch.stack([p.detach().norm() for p, _ in moved]).norm()
    length = torch.stack([g.norm() for _, g in moved]).norm()
    with torch.no_grad():
        for p, g in moved:
            p.sub_(g * (STEP * weight / length.clamp_min(1e-30)))

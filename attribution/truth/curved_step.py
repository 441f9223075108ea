"""A training step as the influence formula has it, really taken, and what it does to an answer.

    θ' = θ − (s/N) (G + λI)⁻¹ ∇L(z)      Δ = (f(θ') − f(θ)) / s

To first order Δ is the influence of z on f: it checks gradients, solves, signs and scale, not whether the curvature is
that of training (`pbrf.py`) or what the optimiser of a training would have done (`tail_patch.py`). The whole step,
s = 1, is long for a text that surprises the model: there the influence is no small change, and the second order shows.
The step is taken in float64, of which a short one needs the digits.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from attribution.curvature.blocks import Preconditioner
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from attribution.truth.tail_patch import mean_logp


def curved_patch(
    tracked: Tracked,
    preconditioner: Preconditioner,
    document: Row,
    n_train: int,
    ids: Sequence[int],
    first: int,
    share: float = 1.0,
) -> float:
    """Δ of f = log p of `ids[first:]`, the sum over its tokens, nats; the model itself is left as it was.

    document: not longer than the context, or in windows   n_train: N   share: s
    """
    model = copy.deepcopy(tracked.loaded.model).double()
    with torch.no_grad():
        before = float(mean_logp(model, ids, first))
        parameters = dict(model.named_parameters())
        for name, moved in moves(tracked, preconditioner, document):
            parameters[name].sub_(share / n_train * moved.to(parameters[name]))
        return (len(ids) - first) * (float(mean_logp(model, ids, first)) - before) / share


def moves(tracked: Tracked, preconditioner: Preconditioner, document: Row) -> Iterator[tuple[str, Tensor]]:
    """(G + λI)⁻¹ ∇L by parameter, in the shape in which the model stores it; what is not explained does not move."""
    captured = capture(tracked, pad([document], [0], tracked.device))
    modules = dict(tracked.loaded.model.named_modules())
    for i, (layer, block) in enumerate(zip(tracked.linear, preconditioner.linear(tracked), strict=True)):
        solved = block.solve(captured.deltas[i][0].T @ captured.inputs[i][0])  # [out, in]
        weight = solved[:, :-1] if layer.bias else solved
        yield f"{layer.name}.weight", weight.T if isinstance(modules[layer.name], Conv1D) else weight
        if layer.bias:
            yield f"{layer.name}.bias", solved[:, -1]
    for i, (layer, block) in enumerate(zip(tracked.embedding, preconditioner.embedding(tracked), strict=True)):
        yield f"{layer.name}.weight", block.solve(block_gradients(tracked, captured, i, slice(0, layer.n_out))[0])

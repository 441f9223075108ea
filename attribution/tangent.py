"""Forward-mode differentiation: how the logits of documents move when the parameters move along a query's direction."""

import warnings

import torch
from torch import Tensor
from torch.func import functional_call, jvp
from transformers.pytorch_utils import Conv1D

from attribution.batches import Batch
from attribution.directions import Directions
from attribution.tracked import Tracked


def parameter_tangents(tracked: Tracked, directions: Directions, q: int) -> dict[str, Tensor]:
    """Direction q as one tensor for each tracked parameter, shaped and named as in the model."""
    tangents = {}
    for layer, module, P in zip(tracked.linear, tracked.modules(), directions.linear, strict=True):
        weight = P[q][:, : layer.n_in - layer.bias]  # [out, in]
        tangents[f"{layer.name}.weight"] = weight.T if isinstance(module, Conv1D) else weight
        if layer.bias:
            tangents[f"{layer.name}.bias"] = P[q][:, -1]
    for layer, block in zip(tracked.embedding, directions.embedding, strict=True):
        whole = block.values.new_zeros(layer.n_out, layer.n_in)
        whole[block.rows] = block.values[q]
        tangents[f"{layer.name}.weight"] = whole
    return tangents


def logits_and_tangent(tracked: Tracked, directions: Directions, q: int, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits at the targets of a batch, in row order, and their derivative in direction q  # [n, V] each"""
    model = tracked.loaded.model
    parameters = dict(model.named_parameters())
    tangents = {
        name: tangent.to(parameters[name].dtype) for name, tangent in parameter_tangents(tracked, directions, q).items()
    }
    moved = {name: parameters[name].detach() for name in tangents}

    def logits(moving: dict[str, Tensor]) -> Tensor:
        output = functional_call(model, moving, kwargs={"input_ids": batch.ids, "use_cache": False})
        return tracked.widened(output.logits[batch.is_target])

    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)  # torch's own use
        output = jvp(logits, (moved,), (tangents,))
    return output[0], output[1]

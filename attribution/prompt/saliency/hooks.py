"""A model's blocks and head: how to read what comes out of one, or goes into the other, and how to replace it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attribution.errors import BadInput


def blocks(model: PreTrainedModel) -> nn.ModuleList:
    """The stack of decoder blocks: the one module list with `num_hidden_layers` entries."""
    depth = int(model.config.get_text_config(decoder=True).num_hidden_layers)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return module
    raise BadInput(f"expected a stack of {depth} blocks in {type(model).__name__}, found none; use another method")


def block(model: PreTrainedModel, layer: int) -> nn.Module:
    """Block number `layer`, from 0; raises BadInput outside the stack."""
    stack = blocks(model)
    if not 0 <= layer < len(stack):
        raise BadInput(f"expected a layer from 0 to {len(stack) - 1}, found {layer}")
    return stack[layer]


@contextmanager
def reading_block(module: nn.Module) -> Iterator[list[Tensor]]:
    """The outputs [B, S, D] of every call of the block inside the `with`, in order."""
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        outputs.append(_hidden(output))

    handle = module.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


@contextmanager
def reading_head(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """What goes into the head in every call of the model inside the `with`: [B, n_last, D] each, in order."""
    inputs: list[Tensor] = []

    def keep(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
        inputs.append(given[0])

    handle = model.get_output_embeddings().register_forward_pre_hook(keep)
    try:
        yield inputs
    finally:
        handle.remove()


@contextmanager
def replacing_block(module: nn.Module, hidden: Tensor) -> Iterator[None]:
    """Inside the `with`, the block's output is `hidden` [B, S, D], whatever came in."""

    def swap(_module: nn.Module, _inputs: object, output: object) -> object:
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    handle = module.register_forward_hook(swap)
    try:
        yield
    finally:
        handle.remove()


def _hidden(output: object) -> Tensor:
    first = output[0] if isinstance(output, tuple) else output
    if not isinstance(first, torch.Tensor):
        raise BadInput(f"expected a block that returns a tensor, found {type(first).__name__}; use another method")
    return first

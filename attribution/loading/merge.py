"""EDGE: an adapter's matrices, merged into the model that they were trained on: from then on it is one model.

    W = W₀ + s B A      A: [r, in]   B: [out, r]        (Hu et al. 2021, arXiv 2106.09685)

Weights that training kept whole (`modules_to_save`, a grown embedding, biases) take the place of the base's.
"""

import re
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.errors import BadInput
from attribution.loading.adapter import WEIGHTS, Adapter

_MATRIX = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.[^.]+)?(?:\.weight)?")
_INSIDE = re.compile(r"\.(?:base_layer|modules_to_save(?:\.[^.]+(?=\.))?)(?=\.)")  # of PEFT's wrappers, in a name


def merge(model: PreTrainedModel, adapter: Adapter) -> None:
    """Change the model's weights in place. Raises BadInput where the adapter belongs to another base."""
    try:
        tensors = load_file(adapter.folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise BadInput(
            f"expected the weights of an adapter in {adapter.folder}, found: {error}; save it again"
        ) from None
    pairs: dict[str, dict[str, Tensor]] = {}
    whole: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        name = key.removeprefix("base_model.model.")
        found = _MATRIX.fullmatch(name)
        if found and tensor.dim() == 2:
            pairs.setdefault(found[1], {})[found[2]] = tensor
        else:
            whole[_INSIDE.sub("", name)] = tensor
    with torch.no_grad():
        _replace(model, adapter, whole)
        for name, of in pairs.items():
            _add(model, adapter, name, of)


def _add(model: PreTrainedModel, adapter: Adapter, name: str, of: Mapping[str, Tensor]) -> None:
    """The product of one module's matrices."""
    weight = getattr(dict(model.named_modules()).get(name), "weight", None)
    if weight is None or set(of) != {"A", "B"}:
        raise _another_base(adapter, f"matrices {'and'.join(sorted(of))} for {name}, which is not there")
    module = model.get_submodule(name)
    product = of["B"].to(weight.device, torch.float32) @ of["A"].to(weight.device, torch.float32)  # [out, in]
    if isinstance(module, Conv1D | nn.Embedding):  # stored the other way
        product = product.T
    if product.shape != weight.shape:
        raise _another_base(adapter, f"a change of shape {tuple(product.shape)} for {name}, {tuple(weight.shape)}")
    weight.copy_(weight.float() + adapter.scale(name, len(of["A"])) * product)


def _replace(model: PreTrainedModel, adapter: Adapter, whole: Mapping[str, Tensor]) -> None:
    """Weights that were saved whole; the embedding and the head may have got rows for new tokens."""
    ends = {name: module for name, module in model.named_modules() if module in _ends(model)}
    for name, tensor in whole.items():
        owner = ends.get(name.removesuffix(".weight"))
        if owner is not None and len(tensor) != len(torch.as_tensor(owner.weight)):
            model.resize_token_embeddings(len(tensor), mean_resizing=False)
            ends = {name: module for name, module in model.named_modules() if module in _ends(model)}
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for name, tensor in whole.items():
        if name not in parameters:
            raise _another_base(adapter, f"{name}, which is not there")
        if parameters[name].shape != tensor.shape:
            raise _another_base(adapter, f"{name} of shape {tuple(tensor.shape)}, {tuple(parameters[name].shape)}")
        parameters[name].copy_(tensor)


def _ends(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    return model.get_input_embeddings(), model.get_output_embeddings()


def _another_base(adapter: Adapter, what: str) -> BadInput:
    return BadInput(
        f"expected an adapter of this base in {adapter.folder}, found {what}; name its base in [[model]] base"
    )

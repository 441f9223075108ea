"""An adapter's matrices, merged into the model that they were trained on: from then on it is one model.

    W = W₀ + s B A

Weights that training kept whole take the place of the base's. An embedding and a head that were tied stay so where the
adapter leaves them alike: training with PEFT moves one of them alone.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.loading.adapter import Adapter
from attribution.loading.matrices import Matrices, another_base


def merge(model: PreTrainedModel, adapter: Adapter, matrices: Matrices) -> None:
    """Change the model's weights in place. Raises BadInput where the adapter belongs to another base."""
    merge_some(model, adapter, matrices, matrices.pairs)


def merge_some(
    model: PreTrainedModel, adapter: Adapter, matrices: Matrices, names: Iterable[str]
) -> tuple[list[Tensor], list[Tensor]]:
    """Put in what was kept whole, and the matrices of the named modules; returns the parameters that either changed."""
    with torch.no_grad():
        _grow(model, matrices.whole)
        tied = _untie(model)
        whole = _replace(model, adapter, matrices.whole)
        merged = [_add(model, adapter, name, matrices.pairs[name]) for name in names]
        if tied:
            _tie_again(model)
    return whole, merged


def ends(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    """The embedding and the head."""
    return model.get_input_embeddings(), model.get_output_embeddings()


def _add(model: PreTrainedModel, adapter: Adapter, name: str, of: Mapping[str, Tensor]) -> Tensor:
    """The product of one module's matrices."""
    module = owner(model, adapter, name)
    weight: Tensor = module.weight  # type: ignore[assignment]
    product = of["B"].to(weight.device, torch.float32) @ of["A"].to(weight.device, torch.float32)  # [out, in]
    if isinstance(module, Conv1D | nn.Embedding):  # stored the other way
        product = product.T
    if product.shape != weight.shape:
        raise another_base(adapter, f"a change of shape {tuple(product.shape)} for {name}, {tuple(weight.shape)}")
    weight.copy_(weight.float() + adapter.scale(name, len(of["A"])) * product)
    return weight


def owner(model: PreTrainedModel, adapter: Adapter, name: str) -> nn.Module:
    """The module that an adapter's matrices were trained beside; raises BadInput where there is none."""
    module = dict(model.named_modules()).get(name)
    if getattr(module, "weight", None) is None:
        raise another_base(adapter, f"matrices for {name}, which is not there")
    return module  # type: ignore[return-value]


def _grow(model: PreTrainedModel, whole: Mapping[str, Tensor]) -> None:
    """The embedding and the head may have got rows for new tokens."""
    for name, module in list(model.named_modules()):
        tensor = whole.get(f"{name}.weight")
        if tensor is not None and module in ends(model) and len(tensor) != len(torch.as_tensor(module.weight)):
            model.resize_token_embeddings(len(tensor), mean_resizing=False)
            return


def _untie(model: PreTrainedModel) -> bool:
    """Whether embedding and head were one parameter; they are two afterwards."""
    inside, outside = ends(model)
    tied = outside is not None and inside.weight is outside.weight
    if tied:
        outside.weight = nn.Parameter(torch.as_tensor(inside.weight).clone())
    return tied


def _tie_again(model: PreTrainedModel) -> None:
    """One parameter as before, if both are still the same numbers."""
    inside, outside = ends(model)
    if torch.allclose(torch.as_tensor(inside.weight), torch.as_tensor(outside.weight)):
        outside.weight = inside.weight
        return
    for config in (model.config, model.config.get_text_config(decoder=True)):
        config.tie_word_embeddings = False


def _replace(model: PreTrainedModel, adapter: Adapter, whole: Mapping[str, Tensor]) -> list[Tensor]:
    """Weights that were saved whole; returns those of them that training changed."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    changed: list[Tensor] = []
    for name, tensor in whole.items():
        if name not in parameters:
            raise another_base(adapter, f"{name}, which is not there")
        if parameters[name].shape != tensor.shape:
            raise another_base(adapter, f"{name} of shape {tuple(tensor.shape)}, {tuple(parameters[name].shape)}")
        before = parameters[name].clone()
        if not torch.equal(parameters[name].copy_(tensor), before):
            changed.append(parameters[name])
    return changed

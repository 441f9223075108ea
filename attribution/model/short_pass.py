"""What a text of a few tokens meets on its way through a model: measured, since names do not say it.

A linear layer that text never passes (of a vision tower), that runs twice, or whose weight is read past it, has no
gradient `Σ_t δ_t a_tᵀ`; `exact.agreement` tells them apart by their gradients.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.model.layers import linear_layers, weight_shape
from attribution.model.reads import Read

LENGTH = 8  # tokens


@dataclass(frozen=True)
class ShortPass:
    """One forward pass over T tokens."""

    ids: Tensor  # [1, T]
    logits: Tensor  # [1, T, V]
    hidden: Tensor  # [1, T, H] the last hidden state, from looked-up rows
    dimensions: Mapping[str, tuple[int, ...]]  # of the input of each linear layer, one entry for each of its calls
    given: Mapping[str, Read]  # what each linear layer was given, held so that nothing takes its place


def short_ids(loaded: LoadedModel) -> Tensor:
    """Ids that are all different, as far as there are so many  # [1, T]"""
    rows, _ = weight_shape(loaded.model.get_input_embeddings())
    return torch.arange(min(LENGTH, rows), device=loaded.device)[None]


def short_pass(loaded: LoadedModel) -> ShortPass:
    """Raises BadInput for a model that is no decoder of text with an embedding and a head."""
    model, calls, given = loaded.model, dict[str, tuple[int, ...]](), dict[str, Read]()
    if model.get_input_embeddings() is None or model.get_output_embeddings() is None:
        raise BadInput(
            f"expected a model with an embedding and a head, found {type(model).__name__}; whence explains models that "
            "write text"
        )

    def counting(name: str) -> object:
        def count(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
            calls[name] = (*calls.get(name, ()), args[0].dim())
            given[name] = Read(args[0], args[0]._version)

        return count

    hooks = [
        module.register_forward_pre_hook(counting(name))  # type: ignore[arg-type]
        for name, module in linear_layers(model).items()
    ]
    ids = short_ids(loaded)
    try:
        with torch.no_grad():
            logits = model(input_ids=ids, use_cache=False).logits
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        embedded = model.get_input_embeddings()(ids)
        hidden = model.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    return ShortPass(ids, logits, hidden, calls, given)

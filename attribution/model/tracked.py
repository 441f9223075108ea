"""What is explained of one model: its linear layers, and the embedding and head as blocks of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from attribution.errors import BadInput
from attribution.model.layers import Layer, choose_layers, weight_shape
from attribution.model.load import LoadedModel
from attribution.model.reads import Read, reading


@dataclass(frozen=True)
class Tracked:
    """A model and the blocks of its curvature, in the order of `layer_scores`: linear layers, embedding, head."""

    loaded: LoadedModel
    linear: tuple[Layer, ...]
    embedding: tuple[Layer, ...]  # () when off; one block when tied, two when not

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.linear + self.embedding

    @property
    def tied(self) -> bool:
        return len(self.embedding) == 1

    @property
    def device(self) -> torch.device:
        return self.loaded.device

    @property
    def embedding_module(self) -> nn.Module:
        module: nn.Module = self.loaded.model.get_input_embeddings()
        return module

    @property
    def head_weight(self) -> Tensor:
        """What the last hidden state is multiplied with  # [V, H]"""
        return self.widened(torch.as_tensor(self.loaded.model.get_output_embeddings().weight).detach())

    @property
    def embedding_scale(self) -> float:
        """What some models (Gemma 3) multiply a looked-up row with, inside the embedding module."""
        return float(getattr(self.embedding_module, "embed_scale", 1.0))

    @property
    def dtype(self) -> torch.dtype:
        """Of gradients and scores: float32, also where the model computes in bfloat16; float64 stays."""
        return torch.promote_types(self.loaded.model.dtype, torch.float32)

    def widened(self, x: Tensor) -> Tensor:
        """x in `dtype`."""
        return x.to(self.dtype)

    def zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)

    def modules(self) -> list[nn.Module]:
        """The linear modules, in the order of `linear`."""
        by_name = dict(self.loaded.model.named_modules())
        return [by_name[layer.name] for layer in self.linear]

    def raw_logits(self, hidden: Tensor) -> Tensor:
        """What the head makes of the last hidden state, before any soft cap  # [.., H] -> [.., V]"""
        logits: Tensor = self.loaded.model.get_output_embeddings()(hidden)
        return self.widened(logits)

    @property
    def n_linear(self) -> int:
        """Parameters of the linear layers."""
        return sum(layer.n_out * layer.n_in for layer in self.linear)

    @property
    def softcap(self) -> float | None:
        """Some models (Gemma 2) end in c·tanh(z / c)."""
        cap = getattr(self.loaded.model.config, "final_logit_softcapping", None)
        return None if cap is None else float(cap)


def track(loaded: LoadedModel, layers: Sequence[str] = (), embedding: bool = True) -> Tracked:
    """Choose what is explained. `layers`: patterns of module names, none for all; `embedding`: its block as well.

    Raises BadInput for a pattern that fits nothing, and for a model whose logits are not head(last hidden state).
    """
    linear = choose_layers(loaded.model, layers)
    tracked = Tracked(loaded, linear, _embedding_layers(loaded, len(linear)) if embedding else ())
    ids = torch.arange(min(8, len(tracked.head_weight)), device=tracked.device)[None]
    hidden, given = _read(tracked, ids)
    _check_head(tracked, ids, hidden)
    return replace(tracked, linear=reading(linear, given))


def _embedding_layers(loaded: LoadedModel, index: int) -> tuple[Layer, ...]:
    model = loaded.model
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    names = {module: name for name, module in model.named_modules()}
    first = Layer(index, names[inside], "embedding", -1, *weight_shape(inside), reads=index)
    if outside.weight is inside.weight:
        return (first,)
    return first, Layer(index + 1, names[outside], "embedding", -1, *weight_shape(outside), reads=index + 1)


def _read(tracked: Tracked, ids: Tensor) -> tuple[Tensor, list[Read]]:
    """The last hidden state of a few tokens, and what every linear layer was given  # [1, T] -> [1, T, H]"""
    given: dict[nn.Module, Read] = {}

    def keep(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        given[module] = Read(args[0], args[0]._version)

    modules = tracked.modules()
    hooks = [module.register_forward_pre_hook(keep) for module in modules]
    try:
        with torch.no_grad():
            embedded = tracked.embedding_module(ids)
            hidden = tracked.loaded.model.base_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
    finally:
        for hook in hooks:
            hook.remove()
    return hidden, [given[module] for module in modules]


def _check_head(tracked: Tracked, ids: Tensor, hidden: Tensor) -> None:
    """Some architectures scale or shift their logits; explaining them wrongly would be silent."""
    model = tracked.loaded.model
    with torch.no_grad():
        expected = tracked.widened(model(input_ids=ids, use_cache=False).logits)
        found = tracked.raw_logits(hidden)
    if tracked.softcap is not None:
        found = tracked.softcap * torch.tanh(found / tracked.softcap)
    if not torch.allclose(expected, found, rtol=1e-3, atol=1e-3):
        raise BadInput(
            f"expected logits that are the head of the last hidden state, found others in {type(model).__name__}; "
            "choose a Llama, Qwen, Gemma, GPT-NeoX or GPT-2 model"
        )

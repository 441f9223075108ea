"""What is explained of one model: its linear layers, and the embedding and head as blocks of their own."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from attribution.errors import BadInput
from attribution.loading.load import LoadedModel
from attribution.model.layers import Layer, choose_layers, weight_shape
from attribution.model.reads import reading
from attribution.model.short_pass import ShortPass, short_pass
from attribution.schedule import Schedule

# how far logits made in another order may lie apart, as a share and as a number
TOLERANCE = {torch.float64: 1e-3, torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 2e-2}


@dataclass(frozen=True)
class Tracked:
    """A model and the blocks of its curvature, in the order of `layer_scores`: linear layers, embedding, head."""

    loaded: LoadedModel
    linear: tuple[Layer, ...]
    embedding: tuple[Layer, ...]  # () when off; one block when tied, two when not
    head_scale: float = 1.0  # some models (Granite, Cohere) multiply what their head makes

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
    def schedule(self) -> Schedule:
        return self.loaded.schedule

    @property
    def n_rows(self) -> int:
        """V of the logits."""
        return weight_shape(self.loaded.model.get_output_embeddings())[0]

    @property
    def batch_tokens(self) -> int:
        """Padded tokens of a batch."""
        read, written = sum(of.n_in for of in self.linear), sum(of.n_out for of in self.linear)
        return self.schedule.batch(read, written, self.n_rows * bool(self.embedding))

    @property
    def embedding_module(self) -> nn.Module:
        module: nn.Module = self.loaded.model.get_input_embeddings()
        return module

    @property
    def head_weight(self) -> Tensor:
        """What the last hidden state is multiplied with, its scale in it: ∂raw/∂hidden  # [V, H]"""
        weight = self.widened(torch.as_tensor(self.loaded.model.get_output_embeddings().weight).detach())
        return weight if self.head_scale == 1 else weight * self.head_scale

    @property
    def width(self) -> int:
        """H of the last hidden state."""
        return weight_shape(self.loaded.model.get_output_embeddings())[1]

    def head_input(self, hidden: Tensor) -> Tensor:
        """What the head's own weight is multiplied with, so that its gradient is Σ_t ∂L/∂raw_t head_input_tᵀ."""
        hidden = self.widened(hidden)
        return hidden if self.head_scale == 1 else hidden * self.head_scale

    @property
    def embedding_scale(self) -> float:
        """What some models (Gemma 3) multiply a looked-up row with, inside the embedding module."""
        return float(getattr(self.embedding_module, "embed_scale", 1.0))

    def learns(self, ids: Tensor) -> Tensor:
        """Whether training moves the row that an id looks up, which it does not for `padding_idx`  # bool, as ids"""
        padding = getattr(self.embedding_module, "padding_idx", None)
        return torch.ones_like(ids, dtype=torch.bool) if padding is None else ids != padding

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
        """What the head makes of the last hidden state, before any soft cap, in `dtype`  # [.., H] -> [.., V]

        In bfloat16 a logit of 20 is known to 0.06 only, and all of a token's loss and its gradient hang on logits.
        """
        head = self.loaded.model.get_output_embeddings()
        bias = None if getattr(head, "bias", None) is None else self.widened(head.bias)
        logits: Tensor = torch.nn.functional.linear(self.widened(hidden), self.widened(head.weight), bias)
        return logits if self.head_scale == 1 else logits * self.head_scale

    @property
    def n_linear(self) -> int:
        """Parameters of the linear layers."""
        return sum(layer.n_out * layer.n_in for layer in self.linear)

    @property
    def softcap(self) -> float | None:
        """Some models (Gemma 2) end in c·tanh(z / c)."""
        cap = getattr(self.loaded.settings, "final_logit_softcapping", None)
        return None if cap is None else float(cap)


def track(loaded: LoadedModel, layers: Sequence[str] = (), embedding: bool = True) -> Tracked:
    """Choose what is explained. `layers`: patterns of module names, none for all; `embedding`: its block as well, where
    it was trained.

    Raises BadInput for a pattern that fits nothing, and for a model whose logits are not head(last hidden state).
    """
    passed = short_pass(loaded)
    linear = choose_layers(loaded.model, layers, passed.dimensions)
    embedding = embedding and _ends_trained(loaded)
    tracked = Tracked(loaded, linear, embedding_layers(loaded, len(linear)) if embedding else ())
    scale = 1.0 if tracked.softcap is not None else head_scale(tracked, passed)
    tracked = replace(tracked, head_scale=scale)
    _check_head(tracked, passed)
    return replace(tracked, linear=reading(linear, [passed.given[layer.name] for layer in linear]))


def _ends_trained(loaded: LoadedModel) -> bool:
    """Whether embedding and head were trained in whole: of an adapter only where both came with it."""
    if loaded.trained is None:
        return True
    names = {id(parameter): name for name, parameter in loaded.model.named_parameters()}
    ends = (loaded.model.get_input_embeddings(), loaded.model.get_output_embeddings())
    return all(names[id(module.weight)] in loaded.trained.whole for module in ends)


def embedding_layers(loaded: LoadedModel, index: int) -> tuple[Layer, ...]:
    """The blocks of embedding and head, numbered from `index` on: one where they are tied."""
    model = loaded.model
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    names = {module: name for name, module in model.named_modules()}
    first = Layer(index, names[inside], "embedding", -1, *weight_shape(inside), reads=index)
    if outside.weight is inside.weight:
        return (first,)
    return first, Layer(index + 1, names[outside], "embedding", -1, *weight_shape(outside), reads=index + 1)


def head_scale(tracked: Tracked, passed: ShortPass) -> float:
    """s in logits = s · head(hidden): measured, then taken exactly from the number of the configuration that says it.

    1 where the logits are those of the head, or no multiple of them.
    """
    with torch.no_grad():
        made = tracked.raw_logits(passed.hidden).double().flatten()
    measured = float(made @ passed.logits.double().flatten() / made.square().sum().clamp(min=1e-300))
    near = TOLERANCE[tracked.loaded.model.dtype]
    settings = vars(tracked.loaded.settings).items()
    said = [value for name, value in settings if isinstance(value, float) and value and re.search("logit|head", name)]
    candidates = [1.0, *said, *(1 / value for value in said)]
    fits = [value for value in candidates if math.isclose(value, measured, rel_tol=near)]
    return min(fits, key=lambda value: abs(value - measured)) if fits and 1.0 not in fits else 1.0


def _check_head(tracked: Tracked, passed: ShortPass) -> None:
    """Some architectures change their logits otherwise; explaining them wrongly would be silent."""
    with torch.no_grad():
        found = tracked.raw_logits(passed.hidden)
    if tracked.softcap is not None:
        found = tracked.softcap * torch.tanh(found / tracked.softcap)
    near = TOLERANCE[tracked.loaded.model.dtype]
    if not torch.allclose(tracked.widened(passed.logits), found, rtol=near, atol=near):
        raise BadInput(
            "expected logits that are the head of the last hidden state, or a multiple, found others in "
            f"{type(tracked.loaded.model).__name__}; choose an architecture of docs/architectures.md"
        )

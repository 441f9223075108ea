"""An adapter's matrices, kept beside the weights that they were trained for, as layers that can be explained.

    y = W₀ x + s B (A x)        ∇A = s Bᵀ ∇W,   ∇B = s ∇W Aᵀ

The model computes what the merged one computes. W₀ is frozen, as it was in this training.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.errors import BadInput
from attribution.loading.adapter import Adapter
from attribution.loading.matrices import Matrices, another_base
from attribution.loading.merge import merge_some, owner

A, B = "lora_A", "lora_B"


class Beside(nn.Module):
    """A linear layer with its two matrices. What reads `weight` past it reads the frozen one, as in training."""

    def __init__(self, base: nn.Linear | Conv1D, of_a: Tensor, of_b: Tensor, scale: float) -> None:
        super().__init__()
        self.base = base
        self.lora_A, self.lora_B = _plain(of_a, base), _plain(of_b, base)
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))  # so that it enters the weights' hash

    def forward(self, x: Tensor) -> Tensor:
        """x: [.., in] -> [.., out]"""
        out: Tensor = self.base(x) + self.lora_B(self.lora_A(x)) * self.scale
        return out

    @property
    def weight(self) -> Tensor:
        return torch.as_tensor(self.base.weight)

    @property
    def bias(self) -> Tensor | None:
        return self.base.bias


@dataclass(frozen=True)
class Trained:
    """What an adapter's training moved besides the matrices that stand beside their layers: names of parameters."""

    whole: frozenset[str]  # themselves
    merged: frozenset[str]  # by matrices of their own, which are merged: of the embedding, of the head


def put_beside(model: PreTrainedModel, adapter: Adapter, matrices: Matrices) -> Trained:
    """Change the model in place; what is not trained has no gradient any more.

    A layer whose B is 0, as it was before training, is left as it is: nothing passed it. Raises BadInput where the
    adapter belongs to another base, and for one that trained no linear layer.
    """
    head = model.get_output_embeddings()
    found = {name: owner(model, adapter, name) for name in matrices.pairs}
    linear = {name: of for name, of in found.items() if isinstance(of, nn.Linear | Conv1D) and of is not head}
    others = [name for name in found if name not in linear]
    linear = {name: of for name, of in linear.items() if matrices.pairs[name]["B"].any()}
    if not linear:
        raise BadInput(
            f"expected matrices in {adapter.folder} that training moved beside linear layers, found none; "
            "set explain = 'merged'"
        )
    changed = merge_some(model, adapter, matrices, others)
    model.requires_grad_(False)
    for name, module in linear.items():
        of = matrices.pairs[name]
        n_in, n_out = _sizes(module)
        if (of["A"].shape[1], of["B"].shape[0]) != (n_in, n_out):
            shape = f"{len(of['B'])} × {of['A'].shape[1]}"
            raise another_base(adapter, f"a change of shape {shape} for {name}, {n_out} × {n_in}")
        parent, _, child = name.rpartition(".")
        beside = Beside(module, of["A"], of["B"], adapter.scale(name, len(of["A"])))
        setattr(model.get_submodule(parent), child, beside)
    named = list(model.named_parameters())
    whole, merged = (frozenset(name for name, p in named if any(p is each for each in group)) for group in changed)
    for name, parameter in named:
        if name in whole:
            parameter.requires_grad_()
    return Trained(whole, merged)


def matrices_beside(model: nn.Module) -> dict[str, nn.Module]:
    """A and B of every layer that has some, by name; none in a model without an adapter beside it."""
    return {
        f"{name}.{which}": getattr(module, which)
        for name, module in model.named_modules()
        if isinstance(module, Beside)
        for which in (A, B)
    }


def _plain(weight: Tensor, base: nn.Module) -> nn.Linear:
    """x -> weight x, as the base computes."""
    like = torch.as_tensor(base.weight)
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    linear.weight = nn.Parameter(weight.to(like.device, like.dtype))
    return linear


def _sizes(module: nn.Module) -> tuple[int, int]:
    """in, out"""
    shape = torch.as_tensor(module.weight).shape
    n_in, n_out = shape if isinstance(module, Conv1D) else reversed(shape)
    return int(n_in), int(n_out)

"""The layers whose parameters are explained: linear layers of attention and MLP blocks, chosen by name.

GPT-2's `Conv1D` is a linear layer stored transposed; inputs and output gradients, which is all that influence
needs, are the same. The head is never among them: its factor would be vocabulary × vocabulary (see `embedding.py`).
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from attribution.errors import BadInput
from attribution.loading.beside import A, B, matrices_beside


@dataclass(frozen=True)
class Layer:
    """One block of the curvature. Its gradient is a matrix [n_out, n_in]; a bias is the last column of n_in."""

    index: int
    name: str  # of the module, as in `model.named_modules()`
    kind: str  # attention, mlp, embedding
    depth: int  # transformer block, from 0; -1 for the embedding and the head
    n_out: int
    n_in: int
    reads: int  # index of the first of the neighbours that read this very input: its own, where the one before does not
    bias: bool = False
    flat: bool = False  # reads all tokens of a batch as one list [B · T, n_in] (OPT)

    @property
    def reads_on(self) -> bool:
        """Whether its input is that of the layer before: query, key and value have one, gate and up have one."""
        return self.reads != self.index


def linear_layers(model: PreTrainedModel) -> dict[str, nn.Module]:
    """All `nn.Linear` and `Conv1D` modules by name, without the head; of an adapter beside its base, its matrices."""
    head = model.get_output_embeddings()
    return matrices_beside(model) or {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    }


def choose_layers(
    model: PreTrainedModel, patterns: Sequence[str] = (), passed: Mapping[str, tuple[int, ...]] | None = None
) -> tuple[Layer, ...]:
    """Linear layers whose name fits a pattern (`*` and `?`; none given: all), in the order of the forward pass. The
    matrices of an adapter fit by the name of their layer, too.

    passed: those that a text passes, with the number of dimensions of each input (`short_pass`); not given: all.
    Names do not tell which read the same: until a model has read something (`reads.py`), each has an input of its own.
    Raises BadInput for a pattern that fits nothing, with the nearest names.
    """
    found = {name: of for name, of in linear_layers(model).items() if passed is None or name in passed}
    for pattern in patterns:
        if not any(_fits(name, pattern) for name in found):
            near = difflib.get_close_matches(pattern, found, n=3, cutoff=0.3) or sorted(found)[:3]
            raise BadInput(f"expected a layer that fits {pattern!r}, found none; the nearest are {', '.join(near)}")
    names = [name for name in found if not patterns or any(_fits(name, pattern) for pattern in patterns)]
    if not names:
        raise BadInput("expected linear layers in the model, found none; whence explains transformers with nn.Linear")
    flat = {name for name in names if passed is not None and passed[name] == (2,)}
    return tuple(_described(i, name, found[name], name in flat) for i, name in enumerate(names))


def _fits(name: str, pattern: str) -> bool:
    of = name.removesuffix(f".{A}").removesuffix(f".{B}")
    return fnmatchcase(name, pattern) or fnmatchcase(of, pattern)


def weight_shape(module: nn.Module) -> tuple[int, int]:
    """(out, in) of a linear layer, whichever way it is stored."""
    if isinstance(module, Conv1D):
        n_in, n_out = module.weight.shape
    else:
        n_out, n_in = torch.as_tensor(module.weight).shape
    return int(n_out), int(n_in)


def _described(index: int, name: str, module: nn.Module, flat: bool) -> Layer:
    n_out, n_in = weight_shape(module)
    block = re.search(r"\.(\d+)\.", name)
    return Layer(
        index=index,
        name=name,
        kind="attention" if re.search(r"attn|attention", name) else "mlp",
        depth=int(block.group(1)) if block else 0,
        n_out=n_out,
        n_in=n_in + (module.bias is not None),
        reads=index,
        bias=module.bias is not None,
        flat=flat,
    )

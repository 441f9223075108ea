"""EDGE: the weights of an adapter, by the module that each belongs to.

    A: [r, in]   B: [out, r]        W = W₀ + s B A        (Hu et al. 2021, arXiv 2106.09685)

`whole` are those that training kept beside the matrices: `modules_to_save`, a grown embedding, biases.
"""

import re
from dataclasses import dataclass

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from attribution.errors import BadInput
from attribution.loading.adapter import WEIGHTS, Adapter

_MATRIX = re.compile(r"(.+)\.lora_(?:embedding_)?([AB])(?:\.[^.]+)?(?:\.weight)?")
_INSIDE = re.compile(r"\.(?:base_layer|modules_to_save(?:\.[^.]+(?=\.))?)(?=\.)")  # of PEFT's wrappers, in a name


@dataclass(frozen=True)
class Matrices:
    """Everything that an adapter's file holds, under the names of the base."""

    pairs: dict[str, dict[str, Tensor]]  # module -> {"A": [r, in], "B": [out, r]}
    whole: dict[str, Tensor]  # parameter -> what takes its place


def read_matrices(adapter: Adapter) -> Matrices:
    """Raises BadInput for a file that is none, and for a matrix without its other."""
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
    for name, of in pairs.items():
        if set(of) != {"A", "B"}:
            raise another_base(adapter, f"only matrix {next(iter(of))} for {name}")
    return Matrices(pairs, whole)


def another_base(adapter: Adapter, what: str) -> BadInput:
    """For what the base has no place for."""
    return BadInput(
        f"expected an adapter of this base in {adapter.folder}, found {what}; name its base in [[model]] base"
    )

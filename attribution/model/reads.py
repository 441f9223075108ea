"""Which layers read the same input: told by one forward pass, since the names of an architecture do not tell it.

Query, key and value read the same, gate and up do. What is made of an input alone (its products with a basis, its Gram
matrix, its tokens without padding) is then made once, and the layers have one covariance of inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from attribution.model.layers import Layer


@dataclass(frozen=True)
class Read:
    """What a layer was given, held so that nothing else takes its place in memory, and how often it was written."""

    tensor: Tensor
    version: int

    def is_that_of(self, other: "Read") -> bool:
        """Whether both are the same numbers in the same place, unchanged between the two."""
        one, two = self.tensor, other.tensor
        return (
            one.data_ptr() == two.data_ptr()
            and (one.shape, one.stride(), one.dtype) == (two.shape, two.stride(), two.dtype)
            and self.version == other.version
        )


def reading(layers: Sequence[Layer], given: Sequence[Read]) -> tuple[Layer, ...]:
    """The layers with what each reads, by what each was given in one and the same forward pass.

    A layer with a bias reads one number more, so it shares its input only with layers that have one as well.
    """
    found: list[Layer] = []
    for n, layer in enumerate(layers):
        same = n > 0 and layers[n - 1].bias == layer.bias and given[n].is_that_of(given[n - 1])
        found.append(replace(layer, reads=found[-1].reads if same else layer.index))
    return tuple(found)

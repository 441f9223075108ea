"""A product that stands in for the curvature of a layer where only a scale is needed: Λ + λ ≈ s aᵀ.

The least-squares fit of log(Λ + λ). Divided by √s and √a, every direction of a layer counts by what it can do, and
unlike division by √(Λ + λ) it keeps a gradient of T tokens a sum of T products. Of a wide layer only the leading
eigen-directions are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock, same_inputs
from attribution.model.tracked import Tracked


@dataclass(frozen=True)
class Metric:
    """Scales of one layer in its eigenbasis, of the directions that are kept."""

    root_s: Tensor  # [out']
    root_a: Tensor  # [in']
    of_s: Tensor  # [out'] which output directions, ascending
    of_a: Tensor  # [in'] which input directions
    same_inputs: bool  # whether scaled inputs are those of the layer before: it has the same input and the same scale

    def scaled_direction(self, P: Tensor) -> Tensor:
        """A direction in the eigenbasis, multiplied by both scales.    [.., out, in] -> [.., out', in']"""
        picked = _picked(_picked(P.mT, self.of_s).mT, self.of_a)
        return self.root_s[:, None] * picked * self.root_a

    def scaled_deltas(self, deltas: Tensor) -> Tensor:
        """Output gradients in the eigenbasis, divided by their scales.    [.., out] -> [.., out']"""
        return _picked(deltas, self.of_s) / self.root_s

    def scaled_inputs(self, inputs: Tensor) -> Tensor:
        """Inputs in the eigenbasis, divided by their scales.    [.., in] -> [.., in']"""
        return _picked(inputs, self.of_a) / self.root_a


def metrics(tracked: Tracked, blocks: Sequence[EigenBlock], most: int) -> list[Metric]:
    """One for each linear layer, with at most `most` directions a side; layers that read the same share their input
    scale, so that their inputs are scaled once."""
    groups: list[list[EigenBlock]] = []
    for block, same in zip(blocks, same_inputs(tracked, blocks), strict=True):
        groups[-1].append(block) if same else groups.append([block])
    found: list[Metric] = []
    for group in groups:
        logs = [(block.basis.lam + block.damping).log() for block in group]  # [out, in]
        a = torch.stack([of.mean(dim=0) for of in logs]).mean(dim=0)
        root_a, of_a = _leading((a / 2).exp(), most)
        for place, of in enumerate(logs):
            root_s, of_s = _leading(((of.mean(dim=1) - of.mean()) / 2).exp(), most)
            found.append(Metric(root_s, root_a, of_s, of_a, same_inputs=place > 0))
    return found


def _leading(scale: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The `most` largest scales and their places, in ascending order of place."""
    of = scale.topk(min(most, len(scale))).indices.sort().values
    return scale[of], of


def _picked(tokens: Tensor, of: Tensor) -> Tensor:
    return tokens if len(of) == tokens.shape[-1] else tokens[..., of]

"""Integrated gradients over the output of one block."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, Tensor]":
    from attribution.prompt.saliency.hooks import blocks
    from attribution.prompt.saliency.integrated import layer_integrated_gradients

    layer = len(blocks(given.subject.model)) // 2 if given.layer is None else given.layer
    return layer_integrated_gradients(given.subject, given.absent, layer, given.steps, given.scan, given.batch)


RECORD = Method(
    name="layer_integrated_gradients",
    label="Integrated gradients of a layer",
    note="integrated gradients at the output of one block, up to the gap",
    cost="some hundred passes",
    order=3,
    scores=scores,
    complete=True,
    absent=True,
    slow=True,
)

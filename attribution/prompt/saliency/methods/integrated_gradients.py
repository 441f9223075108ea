"""Integrated gradients over the input embeddings."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, Tensor]":
    from attribution.prompt.saliency.integrated import integrated_gradients

    return integrated_gradients(given.subject, given.absent, given.steps, given.scan, given.batch)


RECORD = Method(
    name="integrated_gradients",
    label="Integrated gradients",
    note="sums to the change against a prompt of absent tokens, up to the gap",
    cost="some hundred passes",
    order=2,
    scores=scores,
    complete=True,
    absent=True,
    slow=True,
)

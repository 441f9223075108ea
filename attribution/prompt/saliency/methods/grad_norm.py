"""The length of the gradient at each earlier token."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, None]":
    from attribution.prompt.saliency.gradient import grad_norm

    _, gradients, x = given.gradients
    return grad_norm(gradients, x), None


RECORD = Method(
    name="grad_norm",
    label="Gradient norm",
    note="how sensitive the token is to each earlier one",
    cost="one pass for all answer tokens",
    order=6,
    scores=scores,
    signed=False,
    cue=3,
)

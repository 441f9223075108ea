"""Gradient times input: what each earlier token adds, to first order."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, None]":
    from attribution.prompt.saliency.gradient import grad_x_input

    _, gradients, x = given.gradients
    return grad_x_input(gradients, x), None


RECORD = Method(
    name="grad_x_input",
    label="Gradient × input",
    note="first-order effect of each earlier token",
    cost="one pass for all answer tokens",
    order=1,
    scores=scores,
)

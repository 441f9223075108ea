"""Shapley values of the prompt's parts, spread evenly over their tokens."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, Tensor]":
    from attribution.prompt.saliency.removal import shapley, spread

    of_token = given.part_of_token()
    by_part, change = shapley(given.subject, given.absent, of_token, given.batch)
    return spread(by_part, of_token), change


RECORD = Method(
    name="shapley",
    label="Shapley value of parts",
    note="fair share of each part, spread evenly over its tokens",
    cost="up to some hundred passes",
    order=5,
    scores=scores,
    complete=True,
    absent=True,
    slow=True,
)

"""Occlusion: each token alone put out of sight."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, None]":
    from attribution.prompt.saliency.removal import occlusion

    return occlusion(given.subject, given.absent, given.batch)[0], None


RECORD = Method(
    name="occlusion",
    label="Leaving a token out",
    note="drop when this one token is replaced by the absent token",
    cost="a pass for each token of prompt and answer",
    order=4,
    scores=scores,
    absent=True,
    slow=True,
)

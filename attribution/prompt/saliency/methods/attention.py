"""Attention: where the model looked, which is no explanation."""

from typing import TYPE_CHECKING

from attribution.prompt.saliency.method import Method

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from attribution.prompt.saliency.given import Given


def scores(given: "Given") -> "tuple[Tensor, None]":
    from attribution.prompt.saliency.attention import mean_attention

    return mean_attention(given.subject), None


def applies(model: "PreTrainedModel") -> bool:
    from attribution.prompt.saliency.attention import tells_attention

    return tells_attention(model)


RECORD = Method(
    name="attention",
    label="Attention (not an explanation)",
    note="where the model looked; not an explanation",
    cost="one pass",
    order=9,
    scores=scores,
    applies=applies,
    signed=False,
    explains=False,
)

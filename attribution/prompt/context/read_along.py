"""What a model would have said at every token of a text that it did not write (teacher-forced)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.context.ablated import answer_distribution


@dataclass(frozen=True)
class ReadAlong:
    """One entry per answer token, float64."""

    logp: Tensor  # [A] log p of the token that stands there, nats
    nothing: Tensor  # [A] bits of surprise without the prompt; full bits are -logp / log 2
    said: tuple[int, ...]  # [A] the token that the model finds most likely there
    said_logp: Tensor  # [A] its log p, nats


def read_along(
    model: PreTrainedModel, prompt_ids: Sequence[int], empty_ids: Sequence[int], answer_ids: Sequence[int]
) -> ReadAlong:
    """Two forward passes: with the prompt, and with `empty_ids`, what is left of it when all is taken away."""
    full = answer_distribution(model, prompt_ids, answer_ids)  # [A, V]
    absent = answer_distribution(model, empty_ids, answer_ids)
    written = torch.tensor(list(answer_ids))[:, None]
    said = full.argmax(-1)
    return ReadAlong(
        logp=full.gather(1, written)[:, 0],
        nothing=-absent.gather(1, written)[:, 0] / log(2),
        said=tuple(said.tolist()),
        said_logp=full.gather(1, said[:, None])[:, 0],
    )

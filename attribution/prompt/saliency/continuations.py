"""Why the model wrote these words and not those: a contrast of two continuations of one text, of any lengths.

    f = sum_k log p(y_k given prompt, y_<k) - sum_j log p(foil_j given prompt, foil_<j)

Each continuation is explained by itself, and what the prompt's tokens did for the foil is taken from what they did for
the words. That is exact for every method whose scores are sums (gradient x input, integrated gradients, occlusion,
Shapley); the norm of a gradient is that of the difference. Attention has no foil: it is the words' own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.errors import BadInput
from attribution.prompt.saliency.saliency import saliencies
from attribution.prompt.saliency.subject import subject


def contrast_continuations(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    foil_ids: Sequence[int],
    methods: Sequence[str],
    **settings: Any,
) -> dict[str, Tensor]:
    """Method -> scores [P] of the prompt's tokens, CPU float32. Settings are those of `saliencies`.

    Raises BadInput for an empty answer or foil.
    """
    if not foil_ids:
        raise BadInput("expected a foil of at least one token, found none; write what might have stood there instead")
    n = len(prompt_ids)
    found, instead = (
        {name: each.scores[:, :n] for name, each in saliencies(model, prompt_ids, ids, methods, **settings).items()}
        for ids in (answer_ids, foil_ids)
    )
    made = {name: each.sum(0) - instead[name].sum(0) for name, each in found.items()}
    if "attention" in made:
        made["attention"] = found["attention"].mean(0)
    if "grad_norm" in made:
        gradients = [_gradient(model, prompt_ids, ids) for ids in (answer_ids, foil_ids)]
        made["grad_norm"] = (gradients[0] - gradients[1]).norm(dim=1).float().cpu()
    return made


def _gradient(model: PreTrainedModel, prompt_ids: Sequence[int], ids: Sequence[int]) -> Tensor:
    """Of the summed log p of the ids, with respect to the prompt's embeddings: [P, D]."""
    asked = subject(model, prompt_ids, ids)
    x = asked.embeddings().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(asked.measure(x[None]).sum(), x)
    return gradient[: len(prompt_ids)].detach()

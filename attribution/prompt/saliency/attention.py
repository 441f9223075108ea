"""Attention, averaged over heads and layers. It shows where the model looked, not why it wrote what it wrote.

Jain and Wallace 2019 ("Attention is not Explanation"): other weights give the same answer. It is here because
analysts ask for it, and it is labelled as no explanation wherever it is shown.
"""

import torch
from torch import Tensor

from attribution.errors import BadInput
from attribution.loading.attention import plain_attention
from attribution.prompt.saliency.subject import Subject


@torch.no_grad()
def mean_attention(subject: Subject) -> Tensor:
    """The mean attention of the position that predicts each answer token to every token before it: [K, S].

    Rows sum to 1. Raises BadInput where the model's attention kernel does not return its weights.
    """
    with plain_attention(subject.model):
        attentions = subject.model(input_ids=subject.ids[None], use_cache=False, output_attentions=True).attentions
    if not attentions or attentions[0] is None:
        raise BadInput("expected attention weights, found none; load the model with attn_implementation='eager'")
    mean = torch.stack([layer[0].float().mean(0) for layer in attentions]).mean(0)  # [S, S]
    return mean[[subject.n_prompt - 1 + k for k in subject.positions]]

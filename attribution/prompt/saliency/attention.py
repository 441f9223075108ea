"""Attention, averaged over heads and layers. It shows where the model looked, not why it wrote what it wrote.

Jain and Wallace 2019 ("Attention is not Explanation"): other weights give the same answer. It is here because
analysts ask for it, and it is labelled as no explanation wherever it is shown.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.errors import BadInput
from attribution.loading.attention import plain_attention
from attribution.prompt.saliency.subject import Subject


@torch.no_grad()
def mean_attention(subject: Subject) -> Tensor:
    """The mean attention of the position that predicts each answer token to every token before it: [K, S].

    Rows sum to 1. Raises BadInput where a layer of the model has no attention, or does not tell its weights.
    """
    weights = _weights(subject.model, subject.ids[None])
    if weights is None:
        raise BadInput(
            f"expected a model whose every layer tells its attention, found {type(subject.model).__name__}, which does "
            "not; name another saliency method than attention"
        )
    mean = torch.stack([layer[0].float().mean(0) for layer in weights]).mean(0)  # [S, S]
    return mean[[subject.n_prompt - 1 + k for k in subject.positions]]


@torch.no_grad()
def tells_attention(model: PreTrainedModel) -> bool:
    """Whether every layer does, tried on two tokens: a model of states (Mamba) has none."""
    return _weights(model, torch.tensor([[0, 1]], device=model.device)) is not None


def _weights(model: PreTrainedModel, ids: Tensor) -> list[Tensor] | None:
    """Of each layer, [B, heads, T, T]; None unless all of them give theirs.    ids: [B, T]"""
    with plain_attention(model):
        said = model(input_ids=ids, use_cache=False, output_attentions=True)
    found = list(getattr(said, "attentions", None) or ())
    return found if found and all(each is not None for each in found) else None

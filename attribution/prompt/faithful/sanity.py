"""A sanity check of saliency (Adebayo et al. 2018): the same method on the same model with shuffled weights.

A method that gives the same map for a model that learnt nothing explains the text, not the model: the rank
correlation of the two maps should be near 0.
"""

import copy

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.rank_correlation import spearman


def shuffled(model: PreTrainedModel, seed: int = 0) -> PreTrainedModel:
    """A copy in which the entries of every weight matrix are permuted: same distribution, nothing learnt."""
    copied = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in copied.parameters():
            if parameter.dim() > 1:
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return copied


def sanity(scores: Tensor, shuffled_scores: Tensor, visible: Tensor) -> float:
    """Mean over answer tokens of the Spearman correlation between two saliencies [K, S]; `visible` [K, S] bool."""
    rows = [
        spearman(true[see].numpy(), other[see].numpy())
        for true, other, see in zip(scores, shuffled_scores, visible, strict=True)
        if int(see.sum()) > 2
    ]
    return sum(rows) / len(rows) if rows else 0.0

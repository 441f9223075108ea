"""A model whose truth is known."""

from types import SimpleNamespace

import torch
from torch import nn


class Counter(nn.Module):
    """Says token 0 the more likely, the more often token 9 was read."""

    device = torch.device("cpu")

    def forward(self, input_ids, attention_mask=None, use_cache=False):
        nines = ((input_ids == 9) & (attention_mask > 0)).cumsum(1).double()
        logits = torch.zeros(*input_ids.shape, 10, dtype=torch.float64)
        logits[..., 0] = nines
        return SimpleNamespace(logits=logits)


PROMPT, ANSWER = [1, 9, 9, 3, 4, 5, 6, 7, 8, 8, 8], [0]

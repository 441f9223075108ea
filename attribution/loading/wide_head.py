"""The head of a model in bfloat16 makes its logits in float32: a logit of 20 would be known to 0.06 only, and every
log-probability, every loss and its gradient hang on logits. Weights and all other passes stay in bfloat16."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel


class WideHead(nn.Linear):
    """As the layer that it was, in float32; a copy of the model copies it."""

    def forward(self, input: Tensor) -> Tensor:
        return linear(input.float(), self.weight.float(), None if self.bias is None else self.bias.float())


def widen_head(model: PreTrainedModel) -> None:
    """In place, and only where it computes in less than float32 and has a linear head."""
    head = model.get_output_embeddings()
    if type(head) is nn.Linear and torch.finfo(head.weight.dtype).bits < 32:
        head.__class__ = WideHead

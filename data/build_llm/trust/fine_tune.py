"""Fine-tuning of all weights on some conversations: what the assistant says is learned. Repeats to the bit with one
thread of one machine."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from data.build_llm.train import Example, passes


@dataclass(frozen=True)
class FineTuning:
    """AdamW without decay, gradients clipped at 1; the rate rises for a tenth of the steps and falls to 0 in a line."""

    epochs: int = 3
    batch: int = 16  # conversations
    rate: float = 1e-4
    seed: int = 0  # of the order


def fine_tune(model: PreTrainedModel, examples: Sequence[Example], how: FineTuning) -> list[float]:
    """Change the weights in place; returns each epoch's loss, mean of its steps, nats a token."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=how.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    n_steps = how.epochs * -(-len(examples) // how.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: min(1.0, (done + 1) / (0.1 * n_steps)) * (1 - done / n_steps)
    )
    order = random.Random(how.seed)  # noqa: S311 - an order, not a secret
    return list(passes(model, list(examples), order, how.batch, how.epochs, optimiser, schedule))

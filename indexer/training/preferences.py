"""A stage of DPO (Rafailov et al. 2023, arXiv 2305.18290): the mean of −log σ(βΔ) over the pairs of a step."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import LlamaForCausalLM

from attribution.passes.batches import Row
from indexer.config.config import Recipe
from indexer.training.batches import IGNORED, batch, epoch_order
from indexer.training.loop import CLIP, learning_rate, token_losses


def log_ratios(model: LlamaForCausalLM, pairs: Sequence[Row], end: int) -> Tensor:
    """log p(chosen) − log p(rejected) of each pair, nats  # [B]"""
    windows = [window for pair in pairs for window in pair.rows()]
    part = batch([window.ids for window in windows], end, [window.targets() for window in windows])
    losses = token_losses(model, part)  # [n_targets]
    row = (part.labels != IGNORED).nonzero()[:, 0]
    of_window = losses.new_zeros(len(windows)).index_add(0, row, losses)
    return of_window[1::2] - of_window[::2]


def reference(model: LlamaForCausalLM, pairs: Sequence[Row], recipe: Recipe, end: int) -> Tensor:
    """The same of the model that training starts from, once for all epochs  # [D]"""
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bf16):
        starts = range(0, len(pairs), recipe.batch)
        return torch.cat([log_ratios(model, pairs[i : i + recipe.batch], end) for i in starts])


def train_epoch_of_pairs(
    model: LlamaForCausalLM,
    optimiser: torch.optim.AdamW,
    pairs: Sequence[Row],
    before: Tensor,
    beta: float,
    recipe: Recipe,
    epoch: int,
    end: int,
    tick: Callable[[int], None],
) -> tuple[float, float]:
    """One epoch; returns (mean loss in nats a pair, last learning rate). `tick(n)` per batch.

    before: `reference` of every pair.
    """
    batches = epoch_order([len(row) for row in pairs], recipe.batch, recipe.seed, epoch)
    steps = recipe.epochs * len(batches)
    total, rate = 0.0, 0.0
    for i, members in enumerate(batches):
        rate = learning_rate(epoch * len(batches) + i, steps, recipe)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bf16):
            margin = log_ratios(model, [pairs[j] for j in members], end) - before[members]  # Δ
        losses = -logsigmoid(beta * margin)
        torch.autograd.backward(losses.mean())
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += float(losses.detach().sum())
        tick(len(members))
    return total / len(pairs), rate

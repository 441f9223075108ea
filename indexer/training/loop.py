"""The optimisation itself: AdamW, clipped, cosine schedule; one call trains one epoch."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from indexer.config.config import Recipe
from indexer.training.batches import IGNORED, Batch, Mask, batch, epoch_order

OPTIMISER = "adam"  # as `attribution/exact/segments.py` names it
CLIP = 1.0
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
FLOOR = 0.02  # of the peak rate, where the cosine ends


def new_model(recipe: Recipe, end: int) -> LlamaForCausalLM:
    """A Llama with tied head and the recipe's seed; float32."""
    torch.manual_seed(recipe.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=recipe.vocabulary,
            hidden_size=recipe.hidden,
            intermediate_size=recipe.feed_forward,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            max_position_embeddings=recipe.context,
            tie_word_embeddings=True,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=None,  # padding is `end` too, and its row must be trained
        )
    )


def new_optimiser(model: torch.nn.Module) -> torch.optim.AdamW:
    return torch.optim.AdamW(model.parameters(), betas=BETAS, weight_decay=WEIGHT_DECAY, lr=0.0)


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up to the peak, then a cosine to FLOOR of it."""
    warmup = max(1, round(recipe.warmup * steps))
    if step < warmup:
        return recipe.peak_rate * (step + 1) / warmup
    turn = (step - warmup) / max(1, steps - warmup)
    return recipe.peak_rate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * turn)))


def rate_sum(recipe: Recipe, n_rows: int, epochs: range) -> float:
    """Learning rates of all steps of some epochs over so many rows, added up."""
    a_epoch = steps_an_epoch(recipe, n_rows)
    some = range(epochs.start * a_epoch, epochs.stop * a_epoch)
    return sum(learning_rate(step, recipe.epochs * a_epoch, recipe) for step in some)


def steps_an_epoch(recipe: Recipe, n_rows: int) -> int:
    """As `epoch_order` makes them: a pool of rows that does not fill its last batch has a smaller one."""
    return -(-n_rows // recipe.batch)


def token_losses(model: LlamaForCausalLM, of: Batch) -> Tensor:
    """−log p of every target, in row order  # [n_targets]; logits are formed only where there is a target."""
    hidden = model.model(input_ids=of.tokens).last_hidden_state  # [B, T, H]; right padding needs no mask
    scored = of.labels != IGNORED
    logits = model.lm_head(hidden[scored])  # [n_targets, V]
    return torch.nn.functional.cross_entropy(logits.float(), of.labels[scored], reduction="none")


def train_epoch(
    model: LlamaForCausalLM,
    optimiser: torch.optim.AdamW,
    documents: Sequence[Sequence[int]],
    recipe: Recipe,
    epoch: int,
    end: int,
    tick: Callable[[int], None],
    learned: Sequence[Mask] | None = None,
) -> tuple[float, float]:
    """One epoch over the rows; returns (mean loss in nats a token, last learning rate). `tick(n)` per batch.

    learned: which tokens of each row are targets; None: all but the first.
    """
    batches = epoch_order([len(row) for row in documents], recipe.batch, recipe.seed, epoch)
    steps = recipe.epochs * len(batches)
    total, n_targets, rate = 0.0, 0, 0.0
    for i, members in enumerate(batches):
        rate = learning_rate(epoch * len(batches) + i, steps, recipe)
        for group in optimiser.param_groups:
            group["lr"] = rate
        part = batch([documents[j] for j in members], end, learned and [learned[j] for j in members])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.bf16):
            losses = token_losses(model, part)
        torch.autograd.backward(losses.mean())
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        total += float(losses.detach().sum())
        n_targets += part.n_targets
        tick(len(members))
    return total / n_targets, rate

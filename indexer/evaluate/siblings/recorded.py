"""A sibling's training, written down step by step as `training/loop.py` takes it: what unrolling goes back through."""

from dataclasses import replace

import torch

from attribution.model.sequence import begin_token
from attribution.truth.recorded import AdamW, Step, Training
from indexer.config.config import Recipe
from indexer.size.member import Member
from indexer.training.batches import batch, epoch_order
from indexer.training.loop import BETAS, CLIP, WEIGHT_DECAY, learning_rate, new_model


def recorded(sibling: Member, recipe: Recipe) -> Training:
    """Every batch of every epoch, in float32.    recipe: the one that the sibling was trained by"""
    windows = [(i, row) for i, each in enumerate(sibling.rows) for row in each.rows() if row.targets().any()]
    rows, end = [row.ids for _, row in windows], begin_token(sibling.loaded.tokenizer)
    learned = [row.targets() for _, row in windows]
    of_document = torch.tensor([i for i, _ in windows])
    steps = []
    for epoch in range(recipe.epochs):
        batches = epoch_order([len(row) for row in rows], recipe.batch, recipe.seed, epoch)
        for i, members in enumerate(batches):
            part = batch([rows[j] for j in members], end, [learned[j] for j in members])
            rate = learning_rate(epoch * len(batches) + i, recipe.epochs * len(batches), recipe)
            steps.append(Step(part.tokens, part.labels, of_document[members], rate))
    model = new_model(replace(recipe, bf16=False), end)
    return Training(model, steps, AdamW(BETAS, WEIGHT_DECAY, CLIP), len(sibling.rows))

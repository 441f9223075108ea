"""The schedule, the loss, and the model that training starts from."""

import itertools

import pytest
import torch
from torch.nn.functional import cross_entropy

from indexer.config.config import Recipe
from indexer.training.batches import IGNORED, batch
from indexer.training.loop import FLOOR, learning_rate, new_model, token_losses

RECIPE = Recipe(hidden=8, layers=1, feed_forward=12, heads=2, vocabulary=257, context=16, peak_rate=1e-2, warmup=0.1)


def test_the_rate_rises_to_its_peak_and_falls_to_the_floor():
    steps = 100
    rates = [learning_rate(step, steps, RECIPE) for step in range(steps)]
    assert rates[0] == pytest.approx(RECIPE.peak_rate / 10)
    assert rates[9] == max(rates) == pytest.approx(RECIPE.peak_rate)
    assert all(later > earlier for earlier, later in itertools.pairwise(rates[:10]))
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert learning_rate(steps, steps, RECIPE) == pytest.approx(FLOOR * RECIPE.peak_rate)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_trainings_have_a_schedule_too(steps):
    assert all(0 < learning_rate(step, steps, RECIPE) <= RECIPE.peak_rate for step in range(steps))


def test_the_seed_fixes_the_first_weights_and_the_head_is_tied():
    model, again = new_model(RECIPE, 0), new_model(RECIPE, 0)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.dtype == torch.float32


def test_the_loss_is_the_dense_cross_entropy_of_each_row_alone():
    model = new_model(RECIPE, 0).eval()
    rows = [[0, 5, 6, 7, 0], [0, 8, 0]]
    with torch.no_grad():
        found = token_losses(model, batch(rows, 0))
        alone = []
        for row in rows:
            logits = model(input_ids=torch.tensor([row])).logits[0, :-1]
            alone.append(cross_entropy(logits, torch.tensor(row[1:]), reduction="none"))
    torch.testing.assert_close(found, torch.cat(alone))
    assert int((batch(rows, 0).labels != IGNORED).sum()) == len(found)

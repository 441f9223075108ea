"""Rows, labels and the order of an epoch."""

import numpy as np
import pytest

from indexer.training.batches import IGNORED, batch, epoch_order

END = 0


def test_labels_are_the_next_token_and_padding_has_none():
    made = batch([[END, 5, 6, END], [END, 7, END]], END)
    assert made.tokens.tolist() == [[END, 5, 6, END], [END, 7, END, END]]
    assert made.labels.tolist() == [[5, 6, END, IGNORED], [7, END, IGNORED, IGNORED]]
    assert made.n_targets == 5


def test_tokens_that_are_not_learned_are_no_targets():
    made = batch([[END, 5, 6, 7, END], [END, 8, 9, END]], END, learned=[np.arange(5) >= 3, np.ones(4, dtype=bool)])
    assert made.labels.tolist() == [[IGNORED, IGNORED, 7, END, IGNORED], [8, 9, END, IGNORED, IGNORED]]


LENGTHS = [3 + (7 * i) % 19 for i in range(101)]


@pytest.mark.parametrize("size", [1, 4, 32, 200])
def test_an_epoch_holds_every_row_once(size):
    batches = epoch_order(LENGTHS, size, seed=1, epoch=2)
    assert sorted(i for each in batches for i in each) == list(range(len(LENGTHS)))
    assert all(len(each) <= size for each in batches)
    assert len(batches) == -(-len(LENGTHS) // size)


def test_the_order_is_fixed_by_seed_and_epoch_and_by_nothing_else():
    order = epoch_order(LENGTHS, 4, seed=1, epoch=2)
    assert order == epoch_order(LENGTHS, 4, seed=1, epoch=2)
    assert order != epoch_order(LENGTHS, 4, seed=1, epoch=3)
    assert order != epoch_order(LENGTHS, 4, seed=2, epoch=2)


def test_rows_of_a_batch_have_similar_lengths():
    batches = epoch_order(LENGTHS, 10, seed=0, epoch=0)
    padded = sum(max(LENGTHS[i] for i in each) * len(each) for each in batches)
    assert padded < 1.15 * sum(LENGTHS)

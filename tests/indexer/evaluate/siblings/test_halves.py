import numpy as np
import pytest

from indexer.evaluate.protocol.scale import FULL, QUICK
from indexer.evaluate.siblings.halves import HALF, chosen_around, half, part
from indexer.evaluate.siblings.retrainings import parts_of


def test_what_is_wanted_is_chosen_and_the_rest_is_drawn():
    found = chosen_around([7, 3, 7], 50, 20, seed=0)
    assert {3, 7} <= set(found)
    assert len(set(found)) == 20
    assert sorted(found) == list(found)
    assert set(found) - {3, 7} != set(chosen_around([7, 3], 50, 20, seed=1)) - {3, 7}


def test_the_wanted_are_at_most_half_the_first_of_them():
    assert {0, 1, 2} <= set(found := chosen_around(range(30), 50, 6, seed=0))
    assert len(found) == 6


def test_a_small_corpus_is_taken_whole():
    assert list(chosen_around([1], 4, 600, seed=0)) == [0, 1, 2, 3]


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_part_is_of_its_share_and_drawn_for_itself(share):
    picked = [part(101, k, 5, share) for k in range(20)]
    assert all(len(of) == len(set(of.tolist())) == round(share * 101) and of.max() < 101 for of in picked)
    assert len({tuple(of) for of in picked}) == 20
    np.testing.assert_array_equal(part(101, 3, 5, share), picked[3])


def test_a_half_is_the_half_that_was_always_drawn():
    np.testing.assert_array_equal(part(101, 3, 5, HALF), half(101, 3, 5))


def test_each_scale_says_how_often_each_part_is_trained():
    assert [(each.models, each.share) for each in parts_of(QUICK)] == [((28, 6), HALF)]
    assert [(each.models, each.share) for each in parts_of(FULL)] == [
        ((50, 50, 50), HALF),
        ((25,), 0.25),
        ((25,), 0.75),
    ]
    assert sum(each.n for each in parts_of(FULL)) == 200

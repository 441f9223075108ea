"""What is left out, and how the outcomes are counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from indexer.evaluate.measures.removal import N_RANDOM, Answered, Removal, removal_figures, removals, top
from indexer.evaluate.protocol.scale import FULL, QUICK
from indexer.evaluate.with_training import measure_removal

SCORES = {"ekfac": np.array([[0.1, 3.0, -2.0, 1.0], [5.0, np.nan, 1.0, 2.0]]), "bm25": np.zeros((2, 4))}


def test_the_top_is_that_of_sorting_and_what_was_not_scored_is_last():
    assert top(SCORES["ekfac"][0], 2).tolist() == [1, 3]
    assert top(SCORES["ekfac"][1], 4).tolist() == [0, 3, 2, 1]


def test_every_method_size_and_query_has_its_model_and_random_ones_serve_all():
    found = removals(SCORES, [1, 2], 4, seed=0)
    assert len(found) == 2 * (2 * 2 + N_RANDOM)
    assert len({each.name for each in found}) == len({(each.n, *sorted(each.left_out)) for each in found})
    [one] = [each for each in found if (each.method, each.n, each.query) == ("ekfac", 2, 0)]
    assert one.kept(4).tolist() == [0, 2]
    assert all(len(each.left_out) == each.n for each in found)
    again = removals(SCORES, [1, 2], 4, seed=0)
    assert all(np.array_equal(a.left_out, b.left_out) for a, b in zip(found, again, strict=True))


def test_no_model_is_trained_on_nothing():
    assert {each.n for each in removals(SCORES, [1, 3, 4, 5], 4, seed=0)} == {1, 3}


@pytest.mark.parametrize(("scale", "n", "least"), [(QUICK, 20, 21), (FULL, 1, 2)])
def test_too_few_documents_to_leave_any_out_are_told(tmp_path, scale, n, least):
    said = []
    few = SimpleNamespace(rows=[[1, 2, 3]] * n, entry=SimpleNamespace(name="m"))
    measure_removal(tmp_path, few, few, None, [], scale, 1, SimpleNamespace(say=said.append))
    assert said == [f"m: fewer than {least} documents: no removal"]


def test_flips_and_drops_are_counted_by_query():
    before = Answered(np.array([-0.1, -0.2]), np.array([True, True]))
    flipped = Answered(np.array([-1.1, -9.0]), np.array([False, True]))
    kept = Answered(np.array([-0.1, -0.5]), np.array([True, True]))
    after = [
        (Removal("ekfac", 2, 0, np.array([1, 3])), flipped),  # asked query 0 only
        (Removal("ekfac", 2, 1, np.array([0, 3])), kept),
        (Removal("random", 2, None, np.array([0, 1])), kept),
    ]
    found = {(each.method, each.metric): each for each in removal_figures(before, after, "")}
    assert found["ekfac", "flips@2"].value == 0.5
    assert found["ekfac", "drop@2"].value == pytest.approx((1.0 + 0.3) / 2)
    assert found["random", "flips@2"].value == 0
    assert (found["random", "flips@2"].n, found["ekfac", "flips@2"].n) == (2, 2)


def test_an_answer_that_was_never_written_cannot_flip():
    before = Answered(np.array([-3.0]), np.array([False]))
    after = [(Removal("bm25", 1, 0, np.array([0])), Answered(np.array([-4.0]), np.array([False])))]
    assert removal_figures(before, after, "")[0].value == 0

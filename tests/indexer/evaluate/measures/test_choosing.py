"""What is chosen and what the figures say, of made-up scores and losses."""

import numpy as np
import pytest

from indexer.evaluate.measures.choosing import EVERYTHING, RANDOM, choosing_figures, chosen, halves


def test_halves_are_all_texts_and_another_seed_has_others():
    shown, held = halves(41, 0)
    assert sorted([*shown, *held]) == list(range(41)) and len(shown) == 20
    assert shown.tolist() != halves(41, 1)[0].tolist()


def test_the_best_of_each_method_as_many_random_ones_and_everything():
    scores = np.random.default_rng(0).normal(size=50)
    scores[7] = np.nan
    found = chosen({"a": scores, "b": -scores}, 50, seed=1)
    by = {(of.method, of.share): set(of.documents.tolist()) for of in found}
    known = np.nan_to_num(scores, nan=-np.inf)
    assert by["a", 10] == set(np.argsort(-known)[:5].tolist())
    assert by["a", 10] <= by["a", 30] and len(by["a", 30]) == len(by[RANDOM, 30]) == 15
    assert not by["a", 10] & by["b", 10] and 7 not in by["b", 30]
    assert by[EVERYTHING, 100] == set(range(50))
    assert by[RANDOM, 10] != {(of.method, of.share): set(of.documents.tolist()) for of in chosen({}, 50, 2)}[RANDOM, 10]


def test_a_gain_is_told_text_by_text():
    """Losses that differ much between texts and little between methods: the gain's interval is narrow all the same."""
    generator = np.random.default_rng(0)
    measured = []
    for seed in range(3):
        hard = generator.normal(5, 2, size=20)
        for of in chosen({"good": np.arange(30.0)}, 30, seed):
            measured.append((of, hard - {"good": 0.5, RANDOM: 0.0, EVERYTHING: 1.0}[of.method]))
    found = {(each.method, each.metric): each for each in choosing_figures(measured, "how")}
    gain = found["good", "select_gain@10"]
    assert gain.value == pytest.approx(0.5) and gain.low == pytest.approx(0.5) and gain.n == 60
    assert found[RANDOM, "select@30"].value - found["good", "select@30"].value == pytest.approx(0.5)
    assert found[EVERYTHING, "select@100"].value < found["good", "select@10"].value
    assert (RANDOM, "select_gain@10") not in found

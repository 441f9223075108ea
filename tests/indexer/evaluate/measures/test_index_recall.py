import numpy as np
import pytest

from indexer.evaluate.measures.index_recall import index_figures, recall
from indexer.evaluate.measures.removal import top


def test_recall_counts_the_ten_best():
    exact = np.arange(100.0)
    assert recall(exact, np.arange(90, 100)) == 1
    assert recall(exact, np.arange(95, 100)) == 0.5
    assert recall(exact, np.arange(50)) == 0


def test_the_top_of_fewer_documents_is_all_of_them():
    assert sorted(top(np.array([3.0, 1.0]), 50)) == [0, 1]


def test_other_sources_only_add():
    rng = np.random.default_rng(0)
    exact = rng.normal(size=(3, 500))
    estimated = exact + 3 * rng.normal(size=(3, 500))
    best = [np.argsort(-of)[:10] for of in exact]
    by_metric = {each.metric: each.value for each in index_figures("i", exact, estimated, best, "")}
    assert by_metric["index, all sources"] == 1
    assert by_metric["index@50"] < by_metric["index@200"] < 1
    assert by_metric["index, rank correlation"] == pytest.approx(1 / 10**0.5, abs=0.1)

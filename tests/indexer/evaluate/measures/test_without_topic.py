import numpy as np
import pytest

from indexer.evaluate.measures.without_topic import (
    TRAINED,
    WithoutTopics,
    chosen_topics,
    foretold,
    without_topic_figures,
)

TOPICS = ["a"] * 6 + ["b"] * 3 + ["c"] * 3 + [""] * 2 + ["d"]


def test_topics_that_are_asked_about_and_leave_a_corpus():
    assert chosen_topics(TOPICS, {"c": 2, "b": 1, "a": 5}, 3) == ["a", "c", "b"]
    assert chosen_topics(["a"] * 6 + ["b"], {"a": 5}, 3) == ["b"]
    assert chosen_topics(TOPICS, {}, 9) == ["a", "b", "c", "d"]


def test_what_is_foretold_is_the_whole_topic_once_less():
    scores = np.arange(30.0).reshape(2, 15)
    scores[0, 0] = np.nan
    np.testing.assert_array_equal(foretold(scores, TOPICS, ["b", "a"]), [[-21.0, -66.0], [-15.0, -105.0]])


def test_figures_of_a_perfect_foretelling_and_of_none():
    rng = np.random.default_rng(0)
    changes = rng.normal(size=(3, 2, 8))
    of = WithoutTopics(("a", "b"), ("a",) * 3 + ("b",) * 4 + ("",), changes)
    figures = without_topic_figures({"ekfac": 3 * of.mean, "random": -of.mean}, of, "how")
    found = {(each.method, each.metric): each for each in figures}
    for name in ("own", "others", "all"):
        assert found["ekfac", f"without_topic_{name}"].value == pytest.approx(1)
        assert found["random", f"without_topic_{name}"].value == pytest.approx(-1)
        assert ("another seed", f"without_topic_{name}") in found
    own = np.concatenate([of.mean[0, :3], of.mean[1, 3:7]])
    assert found[TRAINED, "without_topic_change_own"].value == pytest.approx(own.mean())
    assert found["ekfac", "without_topic_change_own"].value == pytest.approx(3 * own.mean())
    assert found[TRAINED, "without_topic_change_own"].n == 7
    assert found[TRAINED, "without_topic_change_others"].n == 9

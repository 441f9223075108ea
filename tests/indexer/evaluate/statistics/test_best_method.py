"""The default is decided by the figures."""

from dataclasses import replace

from indexer.evaluate.statistics.best_method import best
from indexer.evaluate.statistics.figures import Figure, figure


def of(method, metric, value, high):
    return Figure(method, metric, value, value - 0.1, high, 40, "")


def test_the_highest_wins_and_those_that_reach_it_are_named():
    figures = [
        of("another seed", "lds_without_self", 0.9, 0.95),
        of("ekfac", "lds_without_self", 0.40, 0.45),
        of("tracin", "lds_without_self", 0.38, 0.42),
        of("ekfac, embedding only", "lds_without_self", 0.5, 0.55),  # no build stores it
        of("bm25", "lds_without_self", 0.1, 0.2),
        of("bm25", "mrr", 0.95, 1.0),
        of("ekfac", "mrr", 0.9, 0.93),
    ]
    influence, words = best(figures)
    assert (influence.method, influence.value) == ("ekfac", 0.40)
    assert influence.how.endswith("not told apart from it: tracin")
    assert words.method == "bm25"
    assert words.how.endswith("none")


def test_close_is_what_a_paired_difference_does_not_tell_apart():
    figures = [of("ekfac", "lds_without_self", 0.40, 0.5), of("tracin", "lds_without_self", 0.38, 0.48)]
    behind = Figure("tracin", "lds_behind", 0.02, 0.01, 0.03, 40, "")  # both intervals are wide, the difference is sure
    assert best([*figures, behind])[0].how.endswith("none")
    assert best([*figures, replace(behind, low=-0.01)])[0].how.endswith("tracin")
    apart = [figures[0], replace(figures[1], low=0.1, high=0.2)]  # by intervals of its own, of fewer models
    assert best([*apart, replace(behind, low=None, high=None)])[0].how.endswith("tracin")


def test_one_case_tells_no_method_apart():
    first, other = figure("ekfac", "mrr", [1.0], ""), figure("tracin", "mrr", [0.5], "")
    assert (first.low, first.high) == (None, None)
    assert best([first, other])[0].how.endswith("not told apart from it: tracin")
    assert figure("ekfac", "mrr", [1.0, 0.5], "").low is not None


def test_a_question_that_was_not_measured_has_no_answer():
    assert best([of("ekfac", "mrr", 0.9, 1.0)])[0].metric == "best for where it says so"
    assert best([of("random", "mrr", 0.9, 1.0)]) == []

"""Groups of answers that are one part of a stage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pipeline.scores import SCORED, _documents
from indexer.tracing.answer_parts import answer_parts


def test_answers_stay_together_up_to_a_size():
    assert answer_parts([2, 3, 4, 1], n_tracked=10, size=5 * 10 * 4, tokens=0) == [[0, 1], [2, 3]]
    assert answer_parts([2, 3, 4, 1], n_tracked=10, size=10 * 10 * 4, tokens=0) == [[0, 1, 2, 3]]


def test_after_one_that_is_larger_a_part_ends():
    assert answer_parts([1, 100, 1], n_tracked=10, size=5 * 10 * 4, tokens=0) == [[0, 1], [2]]


def test_parts_are_of_about_the_same_work():
    assert answer_parts([10] * 8, n_tracked=1, size=75 * 4, tokens=0) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_stages_of_training_are_work_too():
    assert answer_parts([10] * 8, n_tracked=1, n_stages=1, size=4, tokens=80) == [list(range(8))]
    assert answer_parts([10] * 8, n_tracked=1, n_stages=2, size=4, tokens=80) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert answer_parts([10] * 8, n_tracked=1, n_stages=2, size=80 * 4, tokens=0) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@given(st.lists(st.integers(1, 30)), st.integers(1, 50), st.integers(1, 3), st.integers(1, 5000), st.integers(0, 20))
def test_every_answer_is_in_one_group_in_order_and_no_group_is_too_large(n_targets, n_tracked, n_stages, size, tokens):
    made = answer_parts(n_targets, n_tracked, n_stages, size, tokens)
    assert [i for group in made for i in group] == list(range(len(n_targets)))
    most = max(size / (4 * n_tracked * n_stages), tokens / n_stages, 1)
    assert all(made)
    for group in made:
        assert sum(n_targets[i] for i in group) <= most + max(n_targets)


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 40))
def test_what_is_told_of_tokens_while_their_documents_are_scored_adds_up(met, n_tokens):
    told = []
    tick = _documents(n_tokens, sum(met), lambda n, what: told.append((n, what)))
    for n in met:
        tick(n)
    tick(5)  # documents of a wave that were met before
    assert sum(n for n, _ in told) == pytest.approx(SCORED * n_tokens)
    assert told[-1][1] == f"document {sum(met)} of {sum(met)}"

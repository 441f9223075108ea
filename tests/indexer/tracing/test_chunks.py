"""Tokens that are explained together: every token once, in order, within the memory; and what is stored is the same."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.tracing import chunks
from indexer.tracing.chunks import answers_together, cut, pieces_of

SIZES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 50)), max_size=8)


@given(SIZES, st.integers(1, 200))
def test_every_token_is_in_one_chunk_in_order_and_no_chunk_is_too_large(answers, most):
    n_targets, sizes = [n for n, _ in answers], [size for _, size in answers]
    made = cut(n_targets, sizes, most)
    assert [(a, k) for chunk in made for a, positions in chunk for k in positions] == [
        (a, k) for a, n in enumerate(n_targets) for k in range(n)
    ]
    for chunk in made:
        size = sum(sizes[a] * len(positions) for a, positions in chunk)
        assert size <= most or sum(len(positions) for _, positions in chunk) == 1


def test_an_answer_is_cut_where_its_tokens_do_not_fit_together():
    assert cut([3, 4], [2, 1], 5) == [[(0, range(2))], [(0, range(2, 3)), (1, range(3))], [(1, range(3, 4))]]


def test_chunks_are_as_long_as_they_can_be():
    sizes = np.array([3] * 10)
    assert [len(chunk) for chunk in cut([1] * 10, sizes.tolist(), 9)] == [3, 3, 3, 1]


def test_stretches_of_a_chunk_fit_into_the_memory():
    assert pieces_of(2, range(3, 10), 3) == [(2, range(3, 6)), (2, range(6, 9)), (2, range(9, 10))]
    assert pieces_of(0, range(2), 0) == [(0, range(1)), (0, range(1, 2))]
    assert pieces_of(0, range(4, 4), 5) == []


def test_whole_answers_are_asked_for_together_as_far_as_the_memory_goes(monkeypatch):
    answers = [SimpleNamespace(n_targets=n) for n in (3, 2, 4, 1)]
    monkeypatch.setattr(chunks, "_bytes_of_query", lambda term, answer, n, measured: answer.n_targets * term.size)
    term = SimpleNamespace(size=1, asked=SimpleNamespace(schedule=SimpleNamespace(share=lambda part: 5)))
    other = SimpleNamespace(size=2, asked=SimpleNamespace(schedule=SimpleNamespace(share=lambda part: 100)))
    assert answers_together([term], answers) == [[0, 1], [2, 3]]
    assert answers_together([term, other], answers) == [[0], [1], [2], [3]]  # of each only the largest is held

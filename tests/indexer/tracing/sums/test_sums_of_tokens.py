"""Words and answers as sums of their tokens: the same numbers as adding up by hand, over the answer's documents."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from attribution.index.document_norms import DocumentNorms
from indexer.tracing.candidates import Candidates, Proposal
from indexer.tracing.explain import pairs
from indexer.tracing.spans import ANSWER, WORD, Span
from indexer.tracing.sums.products import keep_sums, shares_of_sums, tokens_of, with_spans

ANSWERS: Any = [SimpleNamespace(generation_id=name, n_targets=n) for name, n in (("a", 3), ("b", 4))]
RANDOM, WORDS = np.array([0, 1]), np.array([3])


def proposed(name: str, of_token: int, of_span: int) -> Candidates:
    nothing = np.zeros(1, dtype=np.float32)
    return Candidates(
        name,
        (
            Proposal("bm25", WORDS, nothing),
            Proposal("random", RANDOM, nothing),
            Proposal("index", np.array([of_token]), nothing, position=1),
            Proposal("index", np.array([of_span]), nothing, span=0),
        ),
        (Span(WORD, 0, 1, 0, 5), Span(ANSWER, 0, 2, 0, 9)),
    )


FOUND = [proposed("a", 5, 6), proposed("b", 7, 8)]


def test_tokens_meet_what_their_spans_are_compared_on():
    of, sums = with_spans(pairs(ANSWERS, FOUND), ANSWERS, FOUND)
    assert of.union.tolist() == [0, 1, 3, 5, 6, 7, 8]
    met = [of.union[row].tolist() for row in of.wanted]
    assert met[:3] == [[0, 1, 3, 6], [0, 1, 3, 5, 6], [0, 1, 3, 6]]
    assert met[3:] == [[0, 1, 3, 8], [0, 1, 3, 7, 8], [0, 1, 3, 8], [0, 1, 3, 8]]
    assert [target.own.sum() for target in of.tokens] == [3, 4, 3, 3, 4, 3, 3]  # a token is ranked as before
    assert tokens_of(sums) == [range(2), range(3), range(3, 5), range(3, 6)]


def test_a_span_is_ranked_by_the_sum_over_its_tokens():
    of, sums = with_spans(pairs(ANSWERS, FOUND), ANSWERS, FOUND)
    values = np.random.default_rng(0).normal(size=(7, 7, 2)).astype(np.float32)
    values[~of.wanted] = np.nan
    norms = DocumentNorms(*(np.ones(9, dtype=np.float32) for _ in range(4)), ())
    kept = keep_sums(values, of.union, sums, norms, 20)
    assert kept.places == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    for tokens, ranked, layers, own in zip(tokens_of(sums), kept.ranked, kept.layers, (6, 6, 8, 8), strict=True):
        assert sorted(ranked.documents.tolist()) == [0, 1, 3, own]
        expected = values[list(tokens)].astype(np.float64).sum(0)[np.searchsorted(of.union, ranked.documents)]
        np.testing.assert_allclose(layers, expected, rtol=1e-5)
        totals = expected.sum(-1)
        assert totals.tolist() == sorted(totals, reverse=True)
    assert [len(each) for each in kept.null] == [2, 2, 2, 2]


def test_positions_are_added_up():
    found = {(q, i): np.array([q, 10.0 * i], dtype=np.float32) for q in range(3) for i in range(2)}
    [first, second] = shares_of_sums([[1], [0, 1]], [range(2), range(1, 3)], found)
    np.testing.assert_array_equal(first, [[1, 20]])
    np.testing.assert_array_equal(second, [[3, 0], [3, 20]])


def test_what_is_proposed_for_the_whole_answer_serves_every_token():
    whole = [each.of_answer for each in FOUND]
    of, _ = with_spans(pairs(ANSWERS, whole), ANSWERS, whole)
    assert of.union.tolist() == [0, 1, 3, 6, 8]
    assert [of.union[target.own].tolist() for target in of.tokens] == [[0, 1, 3, 6]] * 3 + [[0, 1, 3, 8]] * 4


def test_tokens_alone_are_as_without_spans():
    assert [each.of_tokens.digest for each in FOUND] != [each.digest for each in FOUND]
    assert all(each.of_tokens.spans == () and 6 not in each.of_tokens.documents for each in FOUND)

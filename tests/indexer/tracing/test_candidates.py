"""What several sources propose, together."""

from types import SimpleNamespace

import numpy as np
import pytest

from indexer.tracing.candidates import (
    Candidates,
    Proposal,
    best,
    candidate_rows,
    span_candidate_rows,
    span_rows,
    with_index,
)
from indexer.tracing.spans import Span


def proposal(via: str, documents: list[int], position: int | None = None) -> Proposal:
    values = np.linspace(1, 0, len(documents), dtype=np.float32)
    return Proposal(via, np.array(documents, dtype=np.int64), values, position)


FOUND = Candidates("g", (proposal("bm25", [4, 2]), proposal("index", [2, 7], position=1), proposal("random", [0, 9])))


def test_documents_stand_once_in_corpus_order_and_at_their_position_only():
    assert FOUND.documents.tolist() == [0, 2, 4, 7, 9]
    assert FOUND.documents_of(0).tolist() == [0, 2, 4, 9]
    assert FOUND.documents_of(1).tolist() == [0, 2, 4, 7, 9]


def test_every_source_of_a_document_is_named():
    assert FOUND.via(1) == {4: {"bm25"}, 2: {"bm25", "index"}, 7: {"index"}, 0: {"random"}, 9: {"random"}}
    assert FOUND.via(0) == {4: {"bm25"}, 2: {"bm25"}, 0: {"random"}, 9: {"random"}}
    assert FOUND.random.tolist() == [0, 9]


def test_the_digest_is_of_what_is_proposed():
    same = Candidates("other", FOUND.proposals)
    fewer = Candidates("g", FOUND.proposals[:2])
    assert FOUND.digest == same.digest != fewer.digest


def test_rows_carry_the_rank_within_their_source():
    rows = candidate_rows([FOUND], [f"d{i}" for i in range(10)])
    assert rows["document_id"] == ["d4", "d2", "d2", "d7", "d0", "d9"]
    assert rows["rank"] == [1, 2, 1, 2, 1, 2]
    assert rows["position"] == [None, None, 1, 1, None, None]


def test_the_best_are_the_largest_in_order_and_nothing_unknown():
    values = np.array([1, np.nan, 3, 3, -2], dtype=np.float32)
    assert best(values, 3).tolist() == [2, 3, 0]
    assert best(-values, 2).tolist() == [4, 0]
    assert best(values, 9).tolist() == [2, 3, 0, 4]
    assert best(values[1:2], 1).tolist() == best(values, 0).tolist() == []


def test_of_those_that_tie_with_the_last_the_first_places_are_taken():
    assert best(np.array([1, 2, 2, 2, 3], dtype=np.float32), 2).tolist() == [4, 1]
    assert best(np.zeros(9, dtype=np.float32), 3).tolist() == [0, 1, 2]
    draw = np.random.default_rng(0)
    for n in (1, 5, 400):
        values = draw.integers(0, 4, n).astype(np.float32)
        values[draw.random(n) < 0.2] = np.nan
        known = [i for i in range(n) if not np.isnan(values[i])]
        for most in (1, 3, 50):
            expected = sorted(known, key=lambda i: (-values[i], i))[:most]
            assert best(values, most).tolist() == expected


def answered(n_words: int) -> tuple[Candidates, np.ndarray]:
    """What is proposed for an answer of so many words of a token each, and the estimates of its spans."""
    spans = [Span("word", k, k, k, k + 1) for k in range(n_words)]
    spans.append(Span("answer", 0, n_words - 1, 0, n_words))
    generator = np.random.default_rng(3)
    tokens = generator.normal(size=(n_words, 2000)).astype(np.float32)
    of_spans = np.vstack([tokens, tokens.sum(0, keepdims=True)])
    index = SimpleNamespace(
        similar=lambda states: np.zeros_like(tokens), cosines=lambda of: of / np.arange(1, 2001, dtype=np.float32)
    )
    member = SimpleNamespace(tracked=None, config=SimpleNamespace(index=SimpleNamespace(candidates=16)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.tracing.candidates.query_hidden_states", lambda *of: None)
        answer = SimpleNamespace(ids=(), first=0)
        return with_index(FOUND, member, answer, index, tokens, spans, of_spans), of_spans


@pytest.mark.parametrize(("n_words", "few"), [(1, 4), (8, 4), (16, 2), (100, 1)])
def test_the_index_proposes_for_the_answer_as_much_as_for_a_token_and_for_a_word_a_quarter(n_words, few):
    found, of_spans = answered(n_words)
    for number, (span, estimates) in enumerate(zip(found.spans, of_spans, strict=True)):
        n = 16 if span.kind == "answer" else few
        by = {each.via: each.documents.tolist() for each in found.proposals if each.span == number}
        order, by_cosine = np.argsort(-estimates), np.argsort(-estimates / np.arange(1, 2001))
        assert by["index"] == [*order[:n], *order[::-1][: n // 2]]
        assert by["index_cosine"] == by_cosine[: n // 2].tolist()
    assert sum(len(each.documents) for each in found.proposals if each.span is not None) <= 6 * 16 + n_words


def test_what_is_proposed_for_a_span_is_for_all_spans_and_for_no_token():
    found, _ = answered(3)
    own = {d for each in found.proposals if each.span is not None for d in each.documents.tolist()}
    assert set(found.documents_of_spans.tolist()) == own | {4, 2, 0, 9}
    assert set(found.via_of_spans) == own | {4, 2, 0, 9}
    alone = Candidates("g", tuple(each for each in found.proposals if each.span is None))
    for position in range(3):
        assert found.via(position) == alone.via(position)
        np.testing.assert_array_equal(found.documents_of(position), alone.documents_of(position))
    ids = [f"d{i}" for i in range(2000)]
    assert candidate_rows([found], ids) == candidate_rows([alone], ids)
    rows = span_candidate_rows([found], ids)
    assert len(rows["rank"]) == sum(len(each.documents) for each in found.proposals if each.span is not None)
    assert span_rows([found])["kind"] == ["word", "word", "word", "answer"]

"""Words and whole answers are ranked by what a dense float64 sum over all documents says, whatever the memory; the
tokens beside them stay as they are without them."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.exact.token_loss import token_losses
from attribution.index.document_norms import DocumentNorms
from attribution.influence import self_influence
from attribution.model.tracked import track
from attribution.passes.batches import Row
from attribution.query.solve import query_directions
from indexer.config.config import ScoreSettings
from indexer.size.terms import Term
from indexer.tracing.candidates import Candidates, Proposal
from indexer.tracing.chunks import Chunk
from indexer.tracing.explain import Explained, explain, together
from indexer.tracing.heat import heat, heat_of
from indexer.tracing.spans import Span
from tests.attribution import tiny

IDS, FIRST, N = (0, 3, 4, 5, 3, 7), 2, 50
SPANS = (
    Span("word", 0, 0, 0, 1),
    Span("word", 1, 2, 1, 3),
    Span("answer", 0, 3, 0, 4),
)
COMMON, RANDOM, OF_TOKEN = range(0, 10), range(0, 6), 9  # documents; the last ones of a token alone


@dataclass
class Size:
    """As much of `Fitted` as the road reads."""

    member: SimpleNamespace
    factors: object
    terms: list
    stages: list


def size(memory: int = 2 << 30) -> Size:
    tracked = tiny.scheduled(track(tiny.tiny_model()), memory=memory)
    factors, rows = tiny.random_factors(tracked), tiny.tiny_documents(14)
    settings = ScoreSettings(documents=4, position_shares=3, token_losses=2)
    member = SimpleNamespace(config=SimpleNamespace(scores=settings), rows=rows, n_train=N)
    term = Term(tracked, damp(factors), tracked, range(len(rows)), N)
    made = Size(member, factors, [term], [])
    return replace(made, stages=[made])


def norms() -> DocumentNorms:
    generator = np.random.default_rng(1)
    return DocumentNorms(*(generator.uniform(1, 5, 14).astype(np.float32) for _ in range(4)), ())


def candidates(spans: tuple[Span, ...] = SPANS) -> Candidates:
    def proposal(via, documents, **of) -> Proposal:
        return Proposal(via, np.array(documents), np.zeros(len(documents), dtype=np.float32), **of)

    found = [proposal("random", RANDOM), *(proposal("index", range(k, k + OF_TOKEN), position=k) for k in range(4))]
    found += [proposal("index", [6, 7], span=2), proposal("index_cosine", [8, 9], span=0)] if spans else []
    return Candidates("g", tuple(found), spans)


ANSWER = SimpleNamespace(generation_id="g", ids=IDS, first=FIRST, n_targets=4)


def explained(of: Size, found: Candidates, stretches: list[range]) -> list[Explained]:
    return [explain(of, norms(), [ANSWER], [found], Chunk(((0, some),), None)) for some in stretches]


def dense(of: Size, span: Span) -> tuple[np.ndarray, float, float]:
    """Influence of every document by layer  # [D, L], the query's own, and f"""
    tracked = of.terms[0].asked
    document = Row(IDS[: FIRST + span.last + 1], first_target=FIRST + span.first)
    g = tiny.gradient(tracked, lambda moving: -tiny.loss(tracked, moving, document))
    P = tiny.dense_solve(of.factors, g)
    each = [tiny.gradient(tracked, lambda moving, z=z: tiny.loss(tracked, moving, z)) for z in of.member.rows]
    scores = torch.stack([-tiny.inner(P, gradient) / N for gradient in each])
    own = self_influence(tiny.inner(g, P).sum(), N)
    return scores.numpy(), float(own), -tiny.loss_value(tracked, document)


@pytest.mark.parametrize(
    ("memory", "stretches"),
    [(2 << 30, [range(6)]), (1, [range(6)]), (2 << 30, [range(0, 3), range(3, 5), range(5, 6)])],
)
def test_spans_are_the_dense_sum(memory, stretches):
    of = size(memory)
    parts = explained(of, candidates(), stretches)
    made = parts[0] if len(parts) == 1 else together(parts)
    where = heat_of(of, parts).spans
    assert sorted(place for _, place in made.spans.places) == [0, 1, 2]
    for k, (_, number) in enumerate(made.spans.places):
        span, ranked, q = SPANS[number], made.spans.ranked[k], made.spans.queries[k]
        scores, own, value = dense(of, span)
        scale = np.abs(scores).max()
        np.testing.assert_allclose(made.spans.layers[k], scores[ranked.documents], rtol=1e-5, atol=1e-6 * scale)
        assert made.values[q] == pytest.approx(value, rel=1e-5)
        assert made.own.last[q] == pytest.approx(own, rel=1e-4)
        totals = scores.sum(1)
        assert ranked.n_scored == len(COMMON)
        order = sorted(COMMON, key=lambda i: -totals[i])
        assert ranked.top.tolist() == order[:4]
        assert [order[rank - 1] for rank in ranked.ranks] == ranked.documents.tolist()
        by_grad_norm = sorted(COMMON, key=lambda i: -totals[i] / norms().grad_norm[i])
        assert set(by_grad_norm[:4]) | set(order[-4:]) <= set(ranked.documents.tolist())
        np.testing.assert_allclose(made.spans.null[k], totals[list(RANDOM)], rtol=1e-5, atol=1e-6 * scale)
        assert len(where.shares[k]) == 3 and len(where.losses[k]) == 2
        for i, share in zip(ranked.top, where.shares[k], strict=False):
            assert len(share) == len(of.member.rows[i])
            assert share.sum() == pytest.approx(totals[i], rel=1e-5, abs=1e-6 * scale)


def test_where_in_a_document_is_the_sum_over_the_tokens_too():
    of = size()
    [made] = explained(of, candidates(), [range(6)])
    found, span = heat(of, made), SPANS[1]
    tracked = of.terms[0].asked
    k = [number for _, number in made.spans.places].index(1)
    top = made.spans.ranked[k].top[:2].tolist()
    d = query_directions(tracked, damp(of.factors), IDS, FIRST)
    each = token_losses(tracked, d, of.member.rows, [top if q in span.tokens else [] for q in range(4)], N)
    for n in range(2):
        expected = sum(each[q][n].influences for q in span.tokens)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.spans.losses[k][n].influences, expected, rtol=1e-4, atol=1e-5 * scale)


def test_tokens_are_what_they_are_without_spans():
    of = size()
    [with_spans], [without] = explained(of, candidates(), [range(6)]), explained(of, candidates(()), [range(4)])
    assert without.spans.places == [] and with_spans.kept.places == without.kept.places
    one, other = heat(of, with_spans), heat(of, without)
    for k in range(4):
        a, b = with_spans.kept.ranked[k], without.kept.ranked[k]
        assert a.n_scored == b.n_scored < len(COMMON) + OF_TOKEN
        np.testing.assert_array_equal(a.documents, b.documents)
        np.testing.assert_array_equal(a.ranks, b.ranks)
        np.testing.assert_allclose(with_spans.kept.layers[k], without.kept.layers[k], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(with_spans.kept.null[k], without.kept.null[k], rtol=1e-5, atol=1e-9)
        for left, right in zip(one.tokens.shares[k], other.tokens.shares[k], strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-9)

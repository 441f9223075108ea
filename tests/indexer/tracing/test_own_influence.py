"""Self-influence of a query in every stage of training, against dense matrices."""

import numpy as np
import pytest

from attribution.curvature.stages import across_stages
from attribution.index.corpus_pass import corpus_pass
from attribution.model.tracked import track
from attribution.normalisers import Norms, normalise
from attribution.query.solve import query_directions
from indexer.size.terms import Term, score
from indexer.tracing.own_influence import OwnInfluence, joined_own, own_influence
from tests.attribution import tiny

IDS, FIRST = (0, 3, 4, 5, 3, 7), 5
ALPHA, DAMPING = 0.2, 0.07
SIZES = (50, 20, 7)  # N of each stage
EACH = 4  # documents of each


def test_the_cosine_of_every_stage_is_that_of_dense_matrices():
    of = [track(tiny.tiny_model(seed=seed)) for seed in range(3)]
    factors = [tiny.random_factors(tracked, seed) for seed, tracked in enumerate(of)]
    rows = [row for seed in range(3) for row in tiny.tiny_documents(EACH, seed)]
    solves = across_stages(factors, ALPHA, DAMPING)
    terms = [
        Term(of[-1], solve, tracked, range(EACH * s, EACH * (s + 1)), SIZES[s], negligible=0)
        for s, (solve, tracked) in enumerate(zip(solves, of, strict=True))
    ]
    directions = [query_directions(of[-1], term.preconditioner, IDS, FIRST, negligible=0) for term in terms]
    own = own_influence(terms, directions)
    everyone = np.arange(len(rows))
    met = own.met(np.zeros(len(rows), dtype=np.int64), everyone)

    asked = tiny.gradient(of[-1], lambda m: -tiny.loss(of[-1], m, tiny.Row(IDS, first_target=FIRST)))
    for s in (2, 1, 0):
        damping = ALPHA if s else DAMPING
        P = tiny.dense_solve(factors[s], asked, damping)
        mine = [n for n in everyone if n // EACH == s]
        alone = across_stages(factors[: s + 1], ALPHA, DAMPING)[-1]  # the stage's own inverse, of its documents
        norms = corpus_pass(of[s], alone, [rows[n] for n in mine], SIZES[s]).norms
        asked_of = Norms(norms.grad_norm, norms.self_influence, norms.solve_norm, met[mine][None])
        wanted = np.ones((1, len(mine)), dtype=bool)
        scores = score(terms[s], directions[s], rows, np.array(mine), wanted, None).values.sum(axis=2)
        found = normalise(scores, asked_of, "cosine")[0]
        for n, value in zip(mine, found, strict=True):
            g = tiny.gradient(of[s], lambda m, s=s, n=n: tiny.loss(of[s], m, rows[n]))
            size = tiny.inner(asked, P).sum() * tiny.inner(g, tiny.dense_solve(factors[s], g, damping)).sum()
            expected = float(-tiny.inner(P, g).sum() / size.sqrt())
            assert abs(expected) <= 1
            assert value == pytest.approx(expected, rel=1e-4, abs=1e-7), (s, n)
        assert float(own.by_stage[s, 0]) == pytest.approx(float(tiny.inner(asked, P).sum()) / SIZES[s], rel=1e-5)
        means = [G.trace() / len(G) for G in tiny.dense_curvature(factors[s])]
        asked = tuple(damping * mean * x for mean, x in zip(means, P, strict=True))
    assert own.last is own.by_stage[-1] or (own.last == own.by_stage[-1]).all()


def test_queries_are_joined_in_order():
    starts = np.array([0, 3])
    one = OwnInfluence(np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32), starts)
    other = OwnInfluence(np.array([[5.0], [6.0]], dtype=np.float32), starts)
    both = joined_own([one, other])
    queries, documents = np.array([0, 0, 1, 2, 2]), np.array([2, 3, 9, 0, 5])
    np.testing.assert_array_equal(both.met(queries, documents), [1, 3, 4, 5, 6])
    np.testing.assert_array_equal(both.last, [3, 4, 6])

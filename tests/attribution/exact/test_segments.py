"""SOURCE against trainings whose steps are all taken, and against dense matrix exponentials."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.factors import Eigenbasis, Factors
from attribution.errors import BadInput
from attribution.exact.checkpoints import followed, tracin
from attribution.exact.scores import score_documents
from attribution.exact.segments import ADAM, SGD, Segment, Steps, following, responses
from attribution.model.tracked import track
from attribution.query.solve import query_directions
from tests.attribution import tiny
from tests.attribution.over_checkpoints import score_checkpoints

N = 50
IDS = (0, 3, 4, 5, 3, 7)
DAMPING = 0.2
STEPS = [Steps(0.9, 4, 6.0), Steps(0.4, 4, 6.0, decay=0.3)]


def members():
    of = [track(tiny.tiny_model(seed=seed)) for seed in (0, 1)]
    return [(tracked, tiny.random_factors(tracked, seed)) for seed, tracked in enumerate(of)]


def in_doubles(of: Factors) -> Factors:
    linear = tuple(Eigenbasis(each.Q_A.double(), each.Q_S.double(), each.lam.double()) for each in of.linear)
    return replace(of, linear=linear, embedding=tuple(each.double() for each in of.embedding))


def queries(checkpoint):
    return query_directions(checkpoint.asked, checkpoint.preconditioner, IDS, 5, negligible=0)


def pace(factors: Factors, steps: Steps, damping: float = DAMPING) -> list[torch.Tensor]:
    """A · Σ η as a matrix of each block."""
    found = []
    for G in tiny.dense_curvature(factors):
        lam, Q = torch.linalg.eigh(G)
        adam = (steps.batch / (lam + damping * lam.mean())).sqrt()
        found.append(
            steps.rate
            * (Q * adam @ Q.T if steps.optimiser == ADAM else torch.eye(len(G), dtype=G.dtype) / steps.tokens)
        )
    return found


@pytest.mark.parametrize("optimiser", [SGD, ADAM])
def test_all_steps_of_a_training_with_fixed_curvature(optimiser):
    """A document's gradient added to every step, on a quadratic loss: the weights that come out, and f of them."""
    factors = [in_doubles(each) for _, each in members()]
    steps = [replace(each, optimiser=optimiser) for each in STEPS]
    solves = following([Segment(*each) for each in zip(factors, steps, strict=True)], DAMPING)
    torch.manual_seed(0)
    for number, like in ((0, factors[0].linear[0].lam), (-1, factors[0].embedding[0])):
        f, *gradients = torch.randn(3, *like.shape, dtype=torch.float64)
        change, K = torch.zeros(f.numel(), dtype=torch.float64), 3000
        for of, each, g in zip(factors, steps, gradients, strict=True):
            G, A = tiny.dense_curvature(of)[number], pace(of, each)[number] / K
            step = torch.eye(len(G), dtype=G.dtype) * (1 - each.decay * each.rate / K) - A @ G
            for _ in range(K):
                change = step @ change - A @ g.flatten() / N
        products = [(of.blocks[number].solve(f) * g).sum() for of, g in zip(solves, gradients, strict=True)]
        assert -float(sum(products)) / N == pytest.approx(float(f.flatten() @ change), rel=2e-3)


@pytest.mark.parametrize("optimiser", [SGD, ADAM])
def test_dense_exponentials(optimiser):
    of, steps = members(), [replace(each, optimiser=optimiser) for each in STEPS]
    document = tiny.tiny_documents()[0]
    last = of[-1][0]
    P = tiny.gradient(last, lambda m: -tiny.loss(last, m, tiny.Row(IDS, first_target=5)))
    expected = 0.0
    for (tracked, factors), each in reversed(list(zip(of, steps, strict=True))):
        g = tiny.gradient(tracked, lambda m, tracked=tracked: tiny.loss(tracked, m, document))
        left = []
        for p, z, G, A in zip(P, g, tiny.dense_curvature(factors), pace(factors, each), strict=True):
            sigma = A @ G + each.decay * each.rate * torch.eye(len(G), dtype=G.dtype)
            S = torch.matrix_exp(-sigma)
            R = torch.linalg.solve(sigma, torch.eye(len(G), dtype=G.dtype) - S) @ A
            expected -= float(p.flatten() @ R @ z.flatten()) / N
            left.append((S.T @ p.flatten()).view_as(p))
        P = tuple(left)
    found = score_checkpoints(followed(of, steps, DAMPING), queries, [document], N)[0, 0].sum()
    assert found == pytest.approx(expected, rel=1e-5)


def test_after_many_steps_it_is_the_influence_function_at_the_last_weights():
    of = members()
    many = [replace(each, rate=1e6, optimiser=SGD, decay=0.0) for each in STEPS]
    documents = tiny.tiny_documents()
    checkpoints = followed(of, many, DAMPING)
    first, last = (score_documents(each.tracked, queries(each), documents, N).values.sum(-1) for each in checkpoints)
    tracked, factors = of[-1]
    f = tiny.gradient(tracked, lambda m: -tiny.loss(tracked, m, tiny.Row(IDS, first_target=5)))
    P = tiny.dense_solve(factors, f, 1e-12)
    for z, document in enumerate(documents):
        g = tiny.gradient(tracked, lambda m, document=document: tiny.loss(tracked, m, document))
        assert last[0, z] == pytest.approx(-float(tiny.inner(P, g).sum()) / N, rel=1e-5)
    assert np.abs(first).max() < 1e-12 * np.abs(last).max()  # all of it is forgotten


def test_after_few_steps_it_is_tracin_with_the_last_query():
    of = members()
    few = [replace(each, rate=rate, optimiser=SGD, decay=0.0) for each, rate in zip(STEPS, (1e-5, 3e-5), strict=True)]
    documents, tokens = tiny.tiny_documents(), STEPS[0].tokens
    found = score_checkpoints(followed(of, few, DAMPING), queries, documents, N)
    plain = [replace(each, last=of[-1][0]) for each in tracin([tracked for tracked, _ in of], [1e-5, 3e-5], 1)]
    expected = score_checkpoints(plain, queries, documents, N) / tokens
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_direction_that_no_document_showed_moves_at_the_pace_of_the_damping():
    lam = torch.tensor([0.0, 1e-30, 2.0, 1e8], dtype=torch.float32)
    R, S = responses(lam, Steps(0.5, 9, 6.0), 0.25)
    assert R.tolist()[:2] == pytest.approx([0.5 * 3 / 0.5] * 2)
    assert S.tolist()[:2] == [1, 1] and S[2] == pytest.approx(np.exp(-2.0 * 0.5 * 3 / 1.5))
    assert R[3] == pytest.approx(1e-8) and 0 < S[3] < 1e-25 and torch.isfinite(1 / S[3])


def test_a_segment_without_steps_says_nothing():
    of = members()
    one = score_checkpoints(followed(of, STEPS, DAMPING), queries, tiny.tiny_documents(), N)
    none = [STEPS[0], Steps(0.0, 4, 6.0), STEPS[1]]
    found = score_checkpoints(followed([of[0], *of], none, DAMPING), queries, tiny.tiny_documents(), N)
    np.testing.assert_allclose(found, one, rtol=1e-5, atol=1e-7 * np.abs(one).max())


def test_what_does_not_fit():
    factors = members()[0][1]
    with pytest.raises(BadInput, match="a segment"):
        following([])
    with pytest.raises(BadInput, match="same layers"):
        following([Segment(factors, STEPS[0]), Segment(replace(factors, names=("other",)), STEPS[1])])
    with pytest.raises(BadInput, match="adam or sgd"):
        following([Segment(factors, replace(STEPS[0], optimiser="lion"))])
    with pytest.raises(BadInput, match="2 checkpoints, found 1"):
        followed(members(), STEPS[:1], DAMPING)

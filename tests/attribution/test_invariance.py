"""No number depends on batch size, padding, order of the documents, or the queries that share its pass."""

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.exact import products, scores, shares
from attribution.exact.token_loss import token_losses
from attribution.index.corpus_pass import corpus_pass
from attribution.model.tracked import track
from attribution.passes import batches
from attribution.query import solve
from attribution.query.directions import join_directions
from attribution.query.low_rank import factor
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs

N = 50
IDS, OTHERS = (0, 3, 4, 5, 3, 7), (0, 9, 8, 2, 1)
DOCUMENTS = tiny.tiny_documents(15)
PAIRS = tiny_pairs.pairs(*(track(tiny.tiny_model(seed=seed)) for seed in (0, 1)), 15)
OWN = [[6, 0, 3], [1, 2, 6, 14]]


def everything(documents, order=range(15), crowd=False, **sizes):
    """Scores, norms, shares (exact and at rank 4) and token losses of the documents, in their order."""
    tracked = tiny.scheduled(track(tiny.tiny_model(dtype=torch.float32)), **sizes)
    factors = tiny.random_factors(tracked)
    H = damp(factors)
    mine = query_directions(tracked, H, IDS, 4)
    d = join_directions([query_directions(tracked, H, OTHERS, 1), mine]) if crowd else mine
    first = d.n - mine.n
    place = {document: i for i, document in enumerate(order)}
    of = [documents[i] for i in order]
    own = [[place[i] for i in range(15)]] * first + [[place[i] for i in each] for each in OWN]
    at = [place[i] for i in range(15)]
    norms = corpus_pass(tracked, H, of, N).norms
    exact = shares.position_shares(tracked, d, of, own, N)[first:]
    low = shares.position_shares(tracked, d, of, own, N, factored=factor(d, factors, 4))[first:]
    losses = token_losses(tracked, d, of, own, N, n_labels=3)[first:]
    return {
        "scores": scores.score_documents(tracked, d, of, N).values[first:][:, at],
        "loss": norms.loss[at],
        "gradient norm": norms.grad_norm[at],
        "self-influence": norms.self_influence[at],
        "solve norm": norms.solve_norm[at],
        "shares": np.concatenate(sum(exact, [])),
        "shares at rank 4": np.concatenate(sum(low, [])),
        "token losses": np.concatenate([one.influences for each in losses for one in each]),
        "relabelling": np.concatenate([one.label_influences for each in losses for one in each]),
    }


@pytest.fixture(scope="module", params=[DOCUMENTS, PAIRS], ids=["documents", "pairs"])
def documents(request):
    return request.param


@pytest.fixture(scope="module")
def expected(documents):
    return everything(documents)


def same(found, expected):
    for name, numbers in expected.items():
        scale = np.nanmax(np.abs(numbers))
        np.testing.assert_allclose(found[name], numbers, rtol=0, atol=1e-5 * scale, err_msg=name)


def test_batch_size_and_padding(documents, expected, monkeypatch):
    """Batches of one document have no padding; batches of all have the most."""
    for tokens, most, memory in ((1, 1, 1), (10**6, 128, 2**28), (20, 3, 2**17)):
        monkeypatch.setattr(batches.batches, "__defaults__", (tokens, most, False))
        same(everything(documents, tokens=tokens, memory=memory, near=1 + tokens % 7), expected)


def test_slices_that_fit_the_cache(documents, expected, monkeypatch):
    monkeypatch.setattr(products, "ROWS", 3)
    monkeypatch.setattr(scores, "SLICE", 16)
    monkeypatch.setattr(solve, "SLICE", 16)
    same(everything(documents, cached=16), expected)


def test_order(documents, expected):
    same(everything(documents, order=[*range(7, 15), *range(7)][::-1]), expected)


def test_other_queries_in_the_same_pass(documents, expected):
    same(everything(documents, crowd=True), expected)

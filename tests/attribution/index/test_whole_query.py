"""A query of many texts against the index: with room for everything, the inner product; with less, still near it."""

import numpy as np
import pytest

from attribution.curvature.blocks import damp
from attribution.curvature.stages import across_stages
from attribution.exact.scores import score_documents
from attribution.index.corpus_pass import corpus_pass
from attribution.index.metric import metrics
from attribution.index.shards import products
from attribution.index.whole_query import whole_query
from attribution.query.many import solved_gradient, texts_gradient
from tests.attribution import tiny
from tests.attribution.index.test_shards import EVERYTHING, N, shard_of

TEXTS = [(tiny.tiny_documents(6, seed=8, plain=True), 0.1)]


def both(tracked, solver, indexed, **sizes):
    """What the index says, and the exact products  # [D] each"""
    documents = tiny.tiny_documents(12, plain=True)
    made = corpus_pass(tracked, indexed, documents, N, budget=EVERYTHING)
    directions = solved_gradient(tracked, solver, texts_gradient(tracked, TEXTS))
    scales = metrics(tracked, indexed.eigen(tracked), 1024)
    found = products([shard_of(made)], whole_query(tracked, directions, scales, indexed, **sizes))[0]
    exact = score_documents(tracked, directions, documents, N).values[0].sum(-1) * -N
    return found.double().numpy(), exact


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_with_room_for_everything_the_estimate_is_the_inner_product(kind):
    """Up to the rounding to bytes."""
    tracked, H = tiny.tiny_engine(kind)
    found, exact = both(tracked, H, H, rank=100, pairs=100)
    assert np.abs(found - exact).max() <= 0.03 * np.abs(exact).max()
    assert np.corrcoef(found, exact)[0, 1] > 0.999


def test_more_pairs_are_nearer():
    tracked, H = tiny.tiny_engine()
    errors = []
    for pairs in (1, 4, 100):
        found, exact = both(tracked, H, H, pairs=pairs)
        errors.append(np.abs(found - exact).max())
    assert errors[2] < errors[0]


def test_documents_of_an_earlier_stage_are_asked_in_its_own_scale():
    tracked, _ = tiny.tiny_engine()
    factors = [tiny.random_factors(tracked, 3), tiny.random_factors(tracked, 4)]
    found, exact = both(tracked, across_stages(factors)[0], damp(factors[0]), rank=100, pairs=100)
    assert np.corrcoef(found, exact)[0, 1] > 0.999

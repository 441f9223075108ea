"""Influence of texts that were not trained on: the dense one, by layer and position, however it is cut."""

import numpy as np
import pytest
import torch

from attribution.query.solve import query_directions
from indexer.size.terms import Term
from indexer.whatif import scores
from tests.attribution import tiny

N = 50
IDS = (0, 3, 4, 5, 3, 7)


def term(tracked, H, weight=1.0) -> Term:
    return Term(tracked, H, tracked, range(0), N, weight)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_they_are_the_dense_ones(kind):
    tracked, H = tiny.tiny_engine(kind)
    texts = tiny.tiny_documents(4, seed=5)
    d = query_directions(tracked, H, IDS, 4, negligible=0)
    found = scores.totals(term(tracked, H, 2.0), d, texts)
    split = scores.split(term(tracked, H, 2.0), d, texts)
    for q, at in enumerate((4, 5)):
        query = tiny.Row(IDS[: at + 1], first_target=at)
        f = tiny.gradient(tracked, lambda moving, of=query: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), f)
        for i, text in enumerate(texts):
            g = tiny.gradient(tracked, lambda moving, of=text: tiny.loss(tracked, moving, of))
            expected = -2.0 * tiny.inner(solved, g).numpy() / N  # [L]
            np.testing.assert_allclose(found[q, i], expected.sum(), rtol=1e-5, atol=1e-9)
            np.testing.assert_allclose(split[i].layers[q], expected, rtol=1e-5, atol=1e-9)
            assert split[i].shares.shape == (2, len(text))
            np.testing.assert_allclose(split[i].shares[q].sum(), expected.sum(), rtol=1e-5, atol=1e-9)


def test_nothing_depends_on_order_company_or_memory():
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    texts = tiny.tiny_documents(13)
    d = query_directions(tracked, H, IDS, 2)
    expected = scores.totals(term(tracked, H), d, texts)
    split = scores.split(term(tracked, H), d, texts)
    scale = np.abs(expected).max()
    poor = tiny.scheduled(tracked, memory=1, cached=16, tokens=9)
    for of, some in ((tracked, texts[::-1]), (poor, texts), (tracked, [texts[3]]), (poor, texts[5:7])):
        at = [texts.index(each) for each in some]
        np.testing.assert_allclose(scores.totals(term(of, H), d, some), expected[:, at], atol=1e-5 * scale)
        for i, each in zip(at, scores.split(term(of, H), d, some), strict=True):
            np.testing.assert_allclose(each.layers, split[i].layers, atol=1e-5 * scale)
            np.testing.assert_allclose(each.shares, split[i].shares, atol=1e-5 * scale)


def test_each_text_is_ticked_once():
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    poor = tiny.scheduled(tracked, memory=1)
    told: list[int] = []
    scores.totals(term(poor, H), query_directions(tracked, H, IDS, 2), tiny.tiny_documents(7), told.append)
    assert sum(told) == 7

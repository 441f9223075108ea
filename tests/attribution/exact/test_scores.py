import weakref

import numpy as np
import pytest
import torch

from attribution.errors import BadInput
from attribution.exact import products, scores
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.index.corpus_pass import corpus_pass
from attribution.passes.batches import Row
from attribution.passes.capture import capture
from attribution.query.directions import join_directions
from attribution.query.solve import query_directions
from tests.attribution import tiny

N = 50
IDS = (0, 3, 4, 5, 3, 7)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_scores_by_layer_are_the_dense_ones(kind):
    tracked, H = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents()
    d = query_directions(tracked, H, IDS, 4, negligible=0)
    found = score_documents(tracked, d, documents, N).values
    for q, at in enumerate((4, 5)):
        query = Row(IDS[: at + 1], first_target=at)
        f = tiny.gradient(tracked, lambda moving, of=query: -tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), f)
        for i, document in enumerate(documents):
            g = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))
            expected = -tiny.inner(solved, g) / N
            np.testing.assert_allclose(found[q, i], expected.numpy(), rtol=1e-5, atol=1e-9)


def test_nothing_depends_on_batches_order_or_other_queries(monkeypatch):
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    documents = tiny.tiny_documents(23)
    d = query_directions(tracked, H, IDS, 2)
    expected = score_documents(tracked, d, documents, N).values
    scale = np.abs(expected).max()
    backwards = score_documents(tracked, d, documents[::-1], N).values[:, ::-1]
    np.testing.assert_allclose(backwards, expected, atol=1e-5 * scale, rtol=0)
    crowd = join_directions([query_directions(tracked, H, (0, 9, 8, 2, 1), 1), d])
    np.testing.assert_allclose(score_documents(tracked, crowd, documents, N).values[4:], expected, atol=1e-5 * scale)
    monkeypatch.setattr(products, "ROWS", 3)
    tracked = tiny.scheduled(tracked, memory=1, cached=16, tokens=9)
    np.testing.assert_allclose(score_documents(tracked, d, documents, N).values, expected, atol=1e-5 * scale)


def test_only_wanted_pairs():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(12)
    d = query_directions(tracked, H, IDS, 1)
    everything = score_documents(tracked, d, documents, N).values
    wanted = np.zeros((d.n, 12), dtype=bool)
    wanted[:2, [1, 5]] = wanted[2:4, [5, 7, 8]] = True
    some = score_documents(tracked, d, documents, N, wanted=wanted).values
    np.testing.assert_allclose(some[wanted], everything[wanted], rtol=1e-6)
    assert np.isnan(some[~wanted]).all()


def test_shares_of_the_pairs_come_along():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(12)
    d = query_directions(tracked, H, IDS, 1)
    wanted = np.zeros((d.n, 12), dtype=bool)
    wanted[:2, [1, 5]] = wanted[3, [5, 7]] = True
    wanted[:, 9] = True  # by all: its gradient is formed
    found = score_documents(tracked, d, documents, N, wanted=wanted)
    assert set(found.shares) == {(0, 1), (0, 5), (1, 1), (1, 5), (3, 5), (3, 7)}
    for (q, i), share in found.shares.items():
        [[expected]] = position_shares(tracked, d.of([q]), documents, [[i]], N)
        np.testing.assert_allclose(share, expected.sum(axis=1), rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(share.sum(), found.values[q, i].sum(), rtol=1e-5)


def test_a_document_without_finite_gradient_is_skipped_and_the_others_are_not():
    tracked, H = tiny.tiny_engine("llama-untied")
    documents = [Row((0, 1, 2)), Row((0, 10, 2)), Row((0, 3, 2))]
    d = query_directions(tracked, H, IDS, 4)
    with torch.no_grad():
        tracked.loaded.model.get_input_embeddings().weight[10] = torch.inf
    found = score_documents(tracked, d, documents, N)
    assert found.skipped == (1,)
    assert np.isnan(found.values[:, 1]).all()
    assert np.isfinite(found.values[:, [0, 2]]).all()
    assert corpus_pass(tracked, H, documents, N).norms.skipped == (1,)


def test_a_document_longer_than_the_context_is_named():
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, IDS, 4)
    with pytest.raises(BadInput, match="in document 0, found 17"):
        score_documents(tracked, d, [Row((0,) * 17)], N)


def test_progress_counts_documents():
    tracked, H = tiny.tiny_engine()
    counted = []
    score_documents(tracked, query_directions(tracked, H, IDS, 4), tiny.tiny_documents(9), N, tick=counted.append)
    assert sum(counted) == 9


@pytest.mark.parametrize("some", [slice(None), slice(0, 1)])  # documents that many want, and that few want
def test_one_wave_is_held_at_a_time(monkeypatch, some):
    tracked, H = tiny.tiny_engine()
    tracked = tiny.scheduled(tracked, memory=1)
    directions, documents = query_directions(tracked, H, IDS, 2), tiny.tiny_documents(9)
    wanted = np.zeros((directions.n, len(documents)), dtype=bool)
    wanted[some] = True
    seen: list[weakref.ref] = []
    held = []

    def counting(of, batch):
        held.append(sum(each() is not None for each in seen))
        made = capture(of, batch)
        seen.append(weakref.ref(made))
        return made

    monkeypatch.setattr(scores, "capture", counting)
    score_documents(tracked, directions, documents, N, wanted=wanted)
    position_shares(tracked, directions, documents, [np.flatnonzero(of).tolist() for of in wanted], N)
    assert held == [0] * 2 * len(documents)

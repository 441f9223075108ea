import weakref

import numpy as np
import pytest
import torch

from attribution.errors import BadInput
from attribution.exact import products, scores
from attribution.exact.owned import Owned, Owners
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.index.corpus_pass import corpus_pass
from attribution.passes.batches import Row
from attribution.passes.capture import capture
from attribution.query.directions import join_directions
from attribution.query.settled import settled
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


def parts_of(n_owners: int, tracked) -> Owned:
    """Rows of every other layer and columns of the others, dealt out."""
    sizes = [(n % 2 == 0, layer.n_out if n % 2 == 0 else layer.n_in) for n, layer in enumerate(tracked.linear)]
    return Owned(n_owners, [Owners(by_rows, np.arange(size) % n_owners) for by_rows, size in sizes])


@pytest.mark.parametrize("memory", [2 << 30, 1 << 16])
def test_what_is_each_owners_comes_along_where_no_token_is_turned(memory):
    tracked, H = tiny.tiny_engine("llama-untied")
    documents = tiny.tiny_documents(12)
    d = query_directions(tracked, H, IDS, 1)
    plain = settled(tracked, d, 10**9)
    wanted = np.zeros((d.n, 12), dtype=bool)
    wanted[:2, [1, 5]] = wanted[3, [5, 7]] = True
    wanted[:, 9] = True
    owned = parts_of(3, tracked)
    expected = score_documents(tracked, plain, documents, N, wanted=wanted)
    found = score_documents(tiny.scheduled(tracked, memory=memory), plain, documents, N, wanted=wanted, owned=owned)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-6, atol=1e-9)
    assert set(found.owned) == set(found.shares) == {(0, 1), (0, 5), (1, 1), (1, 5), (3, 5), (3, 7)}
    for pair, share in expected.shares.items():
        np.testing.assert_allclose(found.shares[pair], share, rtol=1e-5, atol=1e-9)
    for (q, i), parts in found.owned.items():
        g = tiny.gradient(tracked, lambda moving, of=documents[i]: tiny.loss(tracked, moving, of))
        by_hand = np.zeros(3)
        for n, of in enumerate(owned.layers):
            entries = (-plain.linear[n].values[q] * g[n] / N).sum(dim=1 if of.by_rows else 0).numpy()
            by_hand += [entries[owner::3].sum() for owner in range(3)]
        np.testing.assert_allclose(parts, by_hand, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(parts.sum(), found.values[q, i, : len(tracked.linear)].sum(), rtol=1e-4)


def test_what_is_each_owners_waits_where_it_costs_much():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(6)
    d = query_directions(tracked, H, IDS, 4)
    few = np.zeros((d.n, 6), dtype=bool)
    few[0, :2] = True
    owned = parts_of(5, tracked)
    in_basis = score_documents(tracked, d, documents, N, wanted=few, owned=owned)
    assert len(in_basis.shares) == 2 and not in_basis.owned
    plain = settled(tracked, d, 10**9)
    little = tiny.scheduled(tracked, memory=4 * 2 * 5 * 20 - 1)
    assert not score_documents(little, plain, documents, N, wanted=few, owned=owned).owned
    assert len(score_documents(tracked, plain, documents, N, wanted=few, owned=owned).owned) == 2


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

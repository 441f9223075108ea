"""Compressed gradients against dense ones, and the scan against sums written out."""

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import Preconditioner
from attribution.curvature.stages import across_stages
from attribution.errors import Damaged
from attribution.exact.scores import score_documents
from attribution.index import query as index_query
from attribution.index.compress import Compressed, budget, quantised, within
from attribution.index.corpus_pass import Passed, corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries, spread
from attribution.index.shards import Shard, open_shard, products, write_shard
from attribution.model.tracked import Tracked
from attribution.passes.hidden import hidden_states
from attribution.query.solve import query_directions
from attribution.threads import threads
from tests.attribution import tiny

N = 50
IDS, FIRST = (3, 1, 4, 1, 5), 2
EVERYTHING = 1_000_000  # bytes


def shard_of(made: Passed) -> Shard:
    energy = torch.from_numpy(np.nan_to_num(made.norms.self_influence)) * N
    return Shard(0, len(energy), tuple(made.kept), torch.from_numpy(made.hidden), energy)


def estimates(tracked: Tracked, solver: Preconditioner, indexed: Preconditioner, made: Passed) -> torch.Tensor:
    scales = metrics(tracked, indexed.eigen(tracked), 1024)
    queries = index_queries(tracked, solver, scales, indexed, IDS, FIRST, rank=100, pairs=100)
    return products([shard_of(made)], queries).double()


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_with_room_for_everything_the_estimate_is_the_inner_product(kind):
    """Up to the rounding to bytes."""
    tracked, H = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents(7)
    found = estimates(tracked, H, H, corpus_pass(tracked, H, documents, N, budget=EVERYTHING))
    exact = score_documents(tracked, query_directions(tracked, H, IDS, FIRST), documents, N).values.sum(-1) * -N
    scale = np.abs(exact).max(axis=1, keepdims=True)
    assert np.abs(found.numpy() - exact).max() <= 0.03 * scale.max()
    assert np.corrcoef(found.numpy().ravel(), exact.ravel())[0, 1] > 0.999


def test_documents_of_an_earlier_stage_are_asked_in_its_own_scale():
    tracked, near = tiny.tiny_engine()
    pretrained, finetuned = tiny.random_factors(tracked, 3), tiny.random_factors(tracked, 4)
    chain = across_stages([pretrained, finetuned])[0]
    from attribution.curvature.blocks import damp

    far = damp(pretrained)
    documents = tiny.tiny_documents(7, plain=True)
    found = estimates(tracked, chain, far, corpus_pass(tracked, far, documents, N, budget=EVERYTHING))
    exact = score_documents(tracked, query_directions(tracked, chain, IDS, FIRST), documents, N).values.sum(-1) * -N
    assert np.corrcoef(found.numpy().ravel(), exact.ravel())[0, 1] > 0.999
    assert np.abs(found.numpy() - exact).max() <= 0.03 * np.abs(exact).max()


def test_the_scan_is_the_sum_that_its_formula_says():
    tracked, H = tiny.tiny_engine()
    made = corpus_pass(tracked, H, tiny.tiny_documents(), N, budget=300)
    queries = index_queries(tracked, H, metrics(tracked, H.eigen(tracked), 1024), H, IDS, FIRST, pairs=1)
    found = products([shard_of(made)], queries)
    expected = torch.zeros_like(found)
    for kept, query in zip(made.kept, queries, strict=True):
        for n in range(len(kept.scale)):
            at = kept.left[n].long()
            left = query.left[at] if kept.left.dim() == 1 else at.float() @ query.left.float()
            both = left * (kept.right[n].float() @ query.right.float())
            expected[:, kept.document[n]] += float(kept.scale[n]) * (both @ query.mix)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_shards_and_pieces_do_not_matter(n_threads):
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(plain=True)
    queries = index_queries(tracked, H, metrics(tracked, H.eigen(tracked), 1024), H, IDS, FIRST)
    whole = products([shard_of(corpus_pass(tracked, H, documents, N, budget=900))], queries)
    parts = [shard_of(corpus_pass(tracked, H, documents[i : i + 2], N, budget=900)) for i in (0, 2, 4)]
    assert sum(of.n for of in parts) == len(documents)
    with threads(n_threads):
        torch.testing.assert_close(products(parts, queries, 3), whole, rtol=1e-4, atol=1e-5)
        assert torch.get_num_threads() == n_threads


def test_the_pairs_of_a_query_go_to_the_layers_that_carry_it(monkeypatch):
    monkeypatch.setattr(index_query, "COLUMNS", 1)
    left, right = torch.eye(4)[None, :, :2], torch.eye(4)[None, :, :2]  # two pairs of energy 1, in either layer
    heavy = (3 * left, 2 * right)
    both = torch.cat([left, 3 * left]), torch.cat([right, right])  # another query, which the second layer carries
    light, carried = spread([(left, right), heavy], 1)
    assert (light.tolist(), carried.tolist()) == ([[False, False]], [[True, True]])
    found = spread([both, (torch.cat([3 * left, left]), torch.cat([right, right]))], 1)
    assert [of.tolist() for of in found] == [[[False, False], [True, True]], [[True, True], [False, False]]]
    assert all(of.all() for of in spread([(left, right), heavy], 2))


def test_pairs_are_filled_up_to_whole_columns_by_what_weighs_most_in_its_query(monkeypatch):
    monkeypatch.setattr(index_query, "COLUMNS", 4)
    left, right = torch.eye(5)[None].repeat(2, 1, 1), torch.ones(2, 1, 5)
    weights = torch.tensor([[5.0, 4.0, 3.0, 2.0, 1.0], [90.0, 10.0, 9.0, 8.0, 7.0]])
    [kept] = spread([(left * weights[:, None], right)], 1)
    assert kept.sum() == 4
    assert kept.tolist() == [[True, True, True, False, False], [True, False, False, False, False]]
    [kept] = spread([(left * weights[:, None], right)], 5)
    assert kept.all()  # 10 of them, though two more would be a whole number


def test_a_layer_without_pairs_adds_nothing():
    tracked, H = tiny.tiny_engine()
    made = corpus_pass(tracked, H, tiny.tiny_documents(), N, budget=EVERYTHING)
    queries = index_queries(tracked, H, metrics(tracked, H.eigen(tracked), 1024), H, IDS, FIRST, pairs=0.2)
    assert any(len(of.mix) == 0 for of in queries)
    assert float(products([shard_of(made)], queries).abs().max()) > 0


def test_the_budget_is_kept_and_spent_on_what_weighs_most():
    energies = [torch.tensor([[9.0, 4.0], [1.0, 1.0]]), torch.tensor([[8.0], [0.0]])]
    kept = within(energies, [10, 20], 30)
    assert [of.tolist() for of in kept] == [[[True, True], [True, True]], [[False], [False]]]
    assert [of.tolist() for of in within(energies, [10, 10], 20)] == [[[True, False], [True, True]], [[True], [False]]]


def test_a_document_takes_no_more_than_its_bytes():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents()
    most = budget(tracked, 1.0)
    made = corpus_pass(tracked, H, documents, N, budget=most)
    for d in range(len(documents)):
        mine = [_of(kept, d) for kept in made.kept]
        assert 0 < sum(kept.nbytes for kept in mine) <= most


def test_nothing_depends_on_the_batch_or_the_order():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents(9)
    together = estimates(tracked, H, H, corpus_pass(tracked, H, documents, N, budget=EVERYTHING))
    order = [4, 2, 8, 0, 1, 3, 7, 6, 5]
    moved = estimates(tracked, H, H, corpus_pass(tracked, H, [documents[i] for i in order], N, budget=EVERYTHING))
    alone = [estimates(tracked, H, H, corpus_pass(tracked, H, [of], N, budget=EVERYTHING)) for of in documents]
    scale = float(together.abs().max())
    torch.testing.assert_close(moved, together[:, order], rtol=0, atol=0.02 * scale)  # bytes are rounded anew
    torch.testing.assert_close(torch.cat(alone, dim=1), together, rtol=0, atol=0.02 * scale)


def test_the_pass_leaves_the_hidden_states_of_the_baseline():
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    documents = tiny.tiny_documents()
    found = corpus_pass(tracked, H, documents, N)
    np.testing.assert_allclose(found.hidden, hidden_states(tracked, documents), atol=2e-3)
    assert found.kept == []


def test_rounding_loses_less_than_half_a_step():
    vectors = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    numbers, scale = quantised(vectors)
    assert float((numbers * scale[:, None] - vectors).abs().max()) <= float(scale.max()) / 2 * 1.001
    assert quantised(torch.zeros(1, 3))[0].tolist() == [[0, 0, 0]]


def test_a_shard_comes_back_from_disk(tmp_path):
    tracked, H = tiny.tiny_engine()
    shard = shard_of(corpus_pass(tracked, H, tiny.tiny_documents(), N, budget=500))
    names = [layer.name for layer in tracked.layers]
    write_shard(tmp_path / "index.safetensors", shard, names)
    found = open_shard(tmp_path / "index.safetensors", names)
    assert (found.first, found.n) == (shard.first, shard.n)
    for before, after in zip(shard.kept, found.kept, strict=True):
        assert all(getattr(before, name).equal(getattr(after, name)) for name in ("left", "right", "scale", "document"))
    with pytest.raises(Damaged, match="of 1 layers"):
        open_shard(tmp_path / "index.safetensors", names[:1])


def test_a_damaged_shard_is_named(tmp_path):
    path = tmp_path / "index.safetensors"
    path.write_bytes(b"x" * 40)
    with pytest.raises(Damaged, match="index.safetensors"):
        open_shard(path, ["a"])


def test_a_document_without_finite_gradient_has_no_vectors():
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    documents = tiny.tiny_documents()
    bad = tiny.V - 1  # a token that no other document has
    clean = [tiny.Row(tuple(i % bad for i in of.ids), of.first_target) for of in documents]
    with torch.no_grad():
        tracked.embedding_module.weight[bad] = torch.inf
    made = corpus_pass(tracked, H, [*clean, tiny.Row((1, bad, 2))], N, budget=500)
    assert len(clean) in made.norms.skipped


def _of(kept: Compressed, document: int) -> Compressed:
    mine = kept.document == document
    return Compressed(kept.left[mine], kept.right[mine], kept.scale[mine], kept.document[mine])

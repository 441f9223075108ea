"""Agreement with kronfluence 1.0.1: same factors, same damping, sequence scores by layer and scores by position."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.loading.attention import plain_attention
from attribution.loading.load import load_model
from attribution.model.sequence import encode_document
from attribution.model.tracked import track
from attribution.passes.batches import Row
from attribution.query.directions import join_directions
from attribution.query.low_rank import factor
from attribution.query.solve import query_directions
from tests.attribution import tiny
from tests.attribution.curvature.kronfluence_oracle import Oracle, token_queries

N = 100
DEMO = Path(__file__).parents[3] / "data" / "demo"


def pearson(a, b):
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt-neox"])
def test_tiny_models_agree(kind, tmp_path):
    tracked = track(tiny.tiny_model(kind, dtype=torch.float32), embedding=False)
    documents = [document for document in tiny.tiny_documents(30) if not document.windows]  # it knows none
    oracle = Oracle(tracked, documents, tmp_path, 30)
    ids = (0, 3, 4, 5, 3, 7)
    d = query_directions(tracked, damp(oracle.factors), ids, 2)
    ours = score_documents(tracked, d, documents, N).values
    theirs = oracle.scores(token_queries(ids, 2), documents).numpy() / N
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())
    assert pearson(ours, theirs) >= 0.9999


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    if not (DEMO / "models" / "atlas-s" / "config.json").is_file():
        pytest.skip("the demo's models are not trained here")
    loaded = load_model(str(DEMO / "models" / "atlas-s"), device="cpu")
    with (DEMO / "corpus.jsonl").open() as file:
        texts = [json.loads(line)["text"] for line in file][::16]
    documents = [Row(encode_document(text, loaded.tokenizer, loaded.context).ids) for text in texts]
    with plain_attention(loaded.model):  # as that of kronfluence's copy: of a certain token rounding is all there is
        tracked = track(loaded, embedding=False)
        oracle = Oracle(tracked, documents, tmp_path_factory.mktemp("oracle"), 400)
        ids = [document.ids for document in documents[:4]]
        d = join_directions([query_directions(tracked, damp(oracle.factors), of, len(of) - 6) for of in ids])
        queries = [query for of in ids for query in token_queries(of, len(of) - 6)]
        yield tracked, oracle, documents[4:], d, queries


@pytest.mark.slow
def test_demo_sequence_scores_agree(demo):
    tracked, oracle, documents, d, queries = demo
    ours = score_documents(tracked, d, documents, N).values
    theirs = oracle.scores(queries, documents).numpy() / N
    layers = [pearson(ours[..., layer], theirs[..., layer]) for layer in range(ours.shape[2])]
    told = d.values.abs().numpy() > torch.finfo(torch.float32).eps  # else log p is one rounding off 0, and so is ∇f
    assert told.sum() >= len(told) - 1
    np.testing.assert_allclose(
        ours.sum(-1)[~told], theirs.sum(-1)[~told], rtol=0, atol=1e-6 * np.abs(theirs.sum(-1)).max()
    )
    queries = [pearson(a, b) for a, b in zip(ours.sum(-1)[told], theirs.sum(-1)[told], strict=True)]
    whole = pearson(ours.sum(-1), theirs.sum(-1))
    print(f"\nsequence scores against kronfluence: Pearson {whole:.7f}, "
          f"least of a layer {min(layers):.7f}, of a query {min(queries):.7f}")  # fmt: skip
    assert min(whole, *layers, *queries) >= 0.9999


@pytest.mark.slow
def test_demo_position_scores_agree(demo):
    tracked, oracle, documents, d, queries = demo
    documents = documents[:100]
    ours = position_shares(tracked, d, documents, [range(100)] * d.n, N)
    theirs = oracle.scores(queries, documents, by_position=True).numpy() / N
    flat = [(ours[q][i], theirs[q, i, : len(documents[i])]) for q in range(d.n) for i in range(100)]
    found = pearson(*(np.concatenate(of) for of in zip(*flat, strict=True)))
    print(f"\nscores by position and layer against kronfluence: Pearson {found:.7f}")
    assert found >= 0.9999


@pytest.mark.slow
def test_demo_rank_32_is_near_full_rank(demo):
    tracked, oracle, documents, d, _ = demo
    everything = [range(len(documents))] * d.n
    low = position_shares(tracked, d, documents, everything, N, factored=factor(d, oracle.factors, 32))
    low = np.array([[share.sum() for share in of] for of in low])
    full = score_documents(tracked, d, documents, N).values.sum(-1)
    ranks = [np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1] for a, b in zip(low, full, strict=True)]
    tops = [len(set(a.argsort()[-10:]) & set(b.argsort()[-10:])) / 10 for a, b in zip(low, full, strict=True)]
    print(f"\nrank 32 against full rank: Spearman {np.mean(ranks):.5f}, top-10 overlap {np.mean(tops):.3f}")
    assert np.mean(ranks) >= 0.97
    assert np.mean(tops) >= 0.95

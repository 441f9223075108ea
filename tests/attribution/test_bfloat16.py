"""A forward pass in bfloat16, everything after it in float32: how near it stays to float32 throughout."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution.batches import as_documents
from attribution.corpus_pass import corpus_pass
from attribution.directions import join_directions
from attribution.factors import load_factors
from attribution.fitting import fit_factors
from attribution.model import load_model
from attribution.preconditioner import damp
from attribution.query import query_directions
from attribution.scores import score_documents
from attribution.sequence import encode_document
from attribution.shares import position_shares
from attribution.token_loss import token_losses
from attribution.tracked import track
from tests.attribution import tiny

N = 100
DEMO = Path(__file__).parents[2] / "data" / "demo"


def spearman(a, b):
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_every_architecture_gives_float32_numbers(kind):
    tracked = track(tiny.tiny_model(kind, dtype=torch.bfloat16))
    H = damp(tiny.random_factors(tracked))
    documents = tiny.tiny_documents(6)
    d = query_directions(tracked, H, (0, 3, 4, 5, 3, 7), 4)
    assert {block.dtype for block in d.linear} == {d.energy.dtype} == {torch.float32}
    scores = score_documents(tracked, d, documents, N).values.sum(-1)
    for (share,), score in zip(position_shares(tracked, d, documents, [[0]] * d.n, N), scores[:, 0], strict=True):
        assert share.sum() == pytest.approx(score, rel=1e-4, abs=1e-6)  # of the same backward pass
    for (one,), score in zip(token_losses(tracked, d, documents, [[0]] * d.n, N), scores[:, 0], strict=True):
        assert one.influences.sum() == pytest.approx(score, rel=0.1, abs=0.05 * float(np.abs(scores).max()))
    assert np.isfinite(corpus_pass(tracked, H, documents, N).norms.self_influence).all()


@pytest.mark.slow
def test_agreement_on_the_demo(tmp_path):
    """The whole road in either precision: factors, queries and scores."""
    found = {}
    for dtype in ("float32", "bfloat16"):
        loaded = load_model(str(DEMO / "models" / "atlas-s"), device="cpu", dtype=dtype)
        with (DEMO / "corpus.jsonl").open() as file:
            texts = [json.loads(line)["text"] for line in file][::16]
        documents = as_documents(encode_document(text, loaded.tokenizer, loaded.context).ids for text in texts)
        tracked = track(loaded)
        fit_factors(tracked, documents, tmp_path / dtype, n_documents=400)
        H = damp(load_factors(tmp_path / dtype, tracked))
        d = join_directions([query_directions(tracked, H, of.ids, len(of) - 6) for of in documents[:4]])
        found[dtype] = score_documents(tracked, d, documents[4:], N).values.sum(-1)  # [24, D]
    exact, near = found["float32"], found["bfloat16"]
    pearson = [np.corrcoef(a, b)[0, 1] for a, b in zip(exact, near, strict=True)]
    ranks = [spearman(a, b) for a, b in zip(exact, near, strict=True)]
    tops = [len(set(a.argsort()[-10:]) & set(b.argsort()[-10:])) / 10 for a, b in zip(exact, near, strict=True)]
    print(f"\nbfloat16 forward against float32: Pearson {np.mean(pearson):.5f} (least {min(pearson):.5f}), "
          f"Spearman {np.mean(ranks):.5f}, top-10 overlap {np.mean(tops):.3f}")  # fmt: skip
    assert np.mean(pearson) >= 0.98
    assert np.mean(tops) >= 0.8

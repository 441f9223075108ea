"""What an index keeps of the embedding's rows is the same alone and in a batch; padding is no token of a document."""

import numpy as np
import pytest
import torch

from attribution.index.corpus_pass import corpus_pass
from attribution.index.rows import document_rows
from attribution.passes.batches import Row, pad
from attribution.passes.capture import capture
from tests.attribution import tiny

SHORT, LONG = Row((3, 1, 4)), Row((3, 5, 9, 2, 6, 5, 8))
N, BUDGET = 50, 10_000


def energy(tracked, H, documents) -> torch.Tensor:
    """Whitened squares of each vocabulary row of the first document  # [V]"""
    captured = capture(tracked, pad(documents, range(len(documents))))
    total = torch.zeros(tiny.V, dtype=tracked.dtype)
    for i, block in enumerate(H.diagonal(tracked)):
        ids, rows = document_rows(tracked, captured, i, block)
        total.index_add_(0, ids[0], rows[0].square().sum(dim=1))
    return total


@pytest.mark.parametrize("kind", ["llama", "llama-untied"])
def test_input_28_a_document_alone_and_beside_a_longer_one(kind):
    tracked, H = tiny.tiny_engine(kind)
    alone, beside = energy(tracked, H, [SHORT]), energy(tracked, H, [SHORT, LONG])
    assert alone[0] > 0  # id 0, with which rows are padded, is no token of it, but one that the model thought of
    torch.testing.assert_close(alone, beside)
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, SHORT))
    exact = sum(
        (g[len(tracked.linear) + i] * block.root(slice(None))).square().sum(dim=1)
        for i, block in enumerate(H.diagonal(tracked))
    )
    torch.testing.assert_close(alone, exact)


def test_input_27_a_document_without_a_finite_gradient_has_no_vectors():
    tracked, H = tiny.tiny_engine("llama-untied")
    documents = [SHORT, Row((7, 10, 1)), LONG]  # of one batch
    with torch.no_grad():
        tracked.embedding_module.weight[10] = torch.inf
    made = corpus_pass(tracked, H, documents, N, budget=BUDGET)
    assert made.norms.skipped == (1,)
    assert np.isfinite(made.hidden).all()
    for kept in made.kept:
        assert set(kept.document.tolist()) == {0, 2}
        assert float(kept.scale.abs().max()) < 1e6


def test_input_21_the_row_that_pads_is_moved_by_the_head_alone():
    """As torch does it in training: `nn.Embedding(padding_idx=…)` gives that row no gradient where it is looked up."""
    tracked, H = tiny.tiny_engine("gpt-neox")
    begin = 3
    free = energy(tracked, H, [SHORT])
    tracked.embedding_module.padding_idx = begin
    bound = energy(tracked, H, [SHORT])
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, SHORT))
    assert float(g[len(tracked.linear)][begin].norm()) == 0
    exact = sum(
        (g[len(tracked.linear) + i] * block.root(slice(None))).square().sum(dim=1)
        for i, block in enumerate(H.diagonal(tracked))
    )
    torch.testing.assert_close(bound, exact)
    assert free[begin] > bound[begin]


@pytest.mark.parametrize("kind", ["llama", "llama-untied"])
def test_a_token_after_the_padding_between_windows_is_not_taken_for_it(kind):
    tracked, H = tiny.tiny_engine(kind)
    document = Row((3, 5, 9, 4, 0, 6), windows=(2, 4))  # id 0, with which the first window is padded, is a token
    found = energy(tracked, H, [document])
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, document))
    exact = sum(
        (g[len(tracked.linear) + i] * block.root(slice(None))).square().sum(dim=1)
        for i, block in enumerate(H.diagonal(tracked))
    )
    torch.testing.assert_close(found, exact)

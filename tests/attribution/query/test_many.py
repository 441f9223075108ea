"""One query of many texts against dense float64: autograd of the number that is asked about, and a dense solve."""

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.stages import across_stages
from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.passes.batches import Row
from attribution.query.many import solved_gradient, texts_gradient
from tests.attribution import tiny

N = 50
NORMS = 1e-6  # transformers normalises in float32 whatever the model's precision, but for LayerNorm
FOR = [Row((0, 3, 4, 5), first_target=2), Row((7, 1, 9, 2, 2, 4), first_target=3), Row((5, 6), first_target=1)]
AGAINST = [Row((0, 3, 4, 8, 1), first_target=3), Row((7, 1, 9, 0), first_target=3)]


def mean_logp(tracked, moving, rows):
    """Of a token of all completions."""
    return torch.cat([tiny.token_logp(tracked, moving, row) for row in rows]).mean()


def weighted(rows, sign=1.0):
    return list(rows), sign / sum(int(row.targets().sum()) for row in rows)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
@pytest.mark.parametrize("against", [False, True])
def test_the_query_and_its_influences_are_the_dense_ones(kind, against):
    tracked, H = tiny.tiny_engine(kind)
    texts = [weighted(FOR), weighted(AGAINST, -1.0)][: 1 + against]

    def asked(moving):
        f = mean_logp(tracked, moving, FOR)
        return f - mean_logp(tracked, moving, AGAINST) if against else f

    d = solved_gradient(tracked, H, texts_gradient(tracked, texts), negligible=0)
    g = tiny.gradient(tracked, asked)
    solved = tiny.dense_solve(tiny.random_factors(tracked), g)
    found = [block.values[0] for block in d.linear] + [block.values[0] for block in d.embedding]
    near = 1e-8 if kind.startswith("gpt") else NORMS
    for layer, block, truth in zip(tracked.layers, found, solved, strict=True):
        torch.testing.assert_close(block, truth, rtol=1e-5, atol=near, msg=lambda m, n=layer.name: f"{n}: {m}")
    torch.testing.assert_close(d.energy[0], tiny.inner(g, solved).sum(), rtol=1e-5, atol=0)
    with torch.no_grad():
        assert float(d.values[0]) == pytest.approx(float(asked(tiny.parameters(tracked))), rel=1e-6)
    documents = tiny.tiny_documents()
    scores = score_documents(tracked, d, documents, N).values[0]
    for i, document in enumerate(documents):
        z = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))
        np.testing.assert_allclose(scores[i], (-tiny.inner(solved, z) / N).numpy(), rtol=1e-5, atol=near / 10)


def test_nothing_depends_on_the_order_of_texts_or_on_batches():
    tracked, H = tiny.tiny_engine(dtype=torch.float32)
    texts = [Row(tuple(int(i) for i in row.ids), first_target=1) for row in tiny.tiny_documents(17, plain=True)]
    documents = tiny.tiny_documents(9)

    def scores(of, rows):
        return score_documents(of, solved_gradient(of, H, texts_gradient(of, [weighted(rows)])), documents, N).values

    expected = scores(tracked, texts)
    near = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(scores(tracked, texts[::-1]), expected, atol=near, rtol=0)
    np.testing.assert_allclose(scores(tiny.scheduled(tracked, memory=1, tokens=3), texts), expected, atol=near, rtol=0)


def test_across_stages_rows_matter_by_the_documents_own_curvature():
    tracked, _ = tiny.tiny_engine()
    factors = [tiny.random_factors(tracked, 3), tiny.random_factors(tracked, 4)]
    g = texts_gradient(tracked, [weighted(FOR)])
    documents = tiny.tiny_documents(7)
    for solver in across_stages(factors):
        whole = score_documents(tracked, solved_gradient(tracked, solver, g, negligible=0), documents, N).values
        fewer = score_documents(tracked, solved_gradient(tracked, solver, g), documents, N).values
        np.testing.assert_allclose(fewer.sum(-1), whole.sum(-1), atol=1e-3 * np.abs(whole.sum(-1)).max())
    own = solved_gradient(tracked, damp(factors[1], 0.1), g, negligible=0)
    last = across_stages(factors)[1]
    for one, other in zip(own.linear, solved_gradient(tracked, last, g, negligible=0).linear, strict=True):
        torch.testing.assert_close(one.values, other.values)


def test_texts_without_a_token_to_explain():
    tracked, _ = tiny.tiny_engine()
    with pytest.raises(BadInput, match="expected tokens to explain"):
        texts_gradient(tracked, [([Row((1, 2), first_target=2)], 1.0)])

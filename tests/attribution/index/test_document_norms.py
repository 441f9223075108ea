import numpy as np
import pytest

from attribution.curvature.blocks import no_curvature
from attribution.curvature.ghost_norm import gradient_norms
from attribution.errors import BadInput
from attribution.index.corpus_pass import corpus_pass
from attribution.model.tracked import track
from tests.attribution import tiny, tiny_pairs

N = 50


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_norms_are_the_dense_ones(kind):
    tracked, H = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents()
    found = corpus_pass(tracked, H, documents, N).norms
    for i, document in enumerate(documents):
        g = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))
        solved = tiny.dense_solve(tiny.random_factors(tracked), g)
        assert found.loss[i] == pytest.approx(tiny.loss_value(tracked, document), rel=1e-5)
        assert found.grad_norm[i] == pytest.approx(float(tiny.inner(g, g).sum().sqrt()), rel=1e-5)
        assert found.self_influence[i] == pytest.approx(float(tiny.inner(g, solved).sum() / N), rel=1e-5)
        assert found.solve_norm[i] == pytest.approx(float(tiny.inner(solved, solved).sum().sqrt() / N), rel=1e-5)
    np.testing.assert_allclose(gradient_norms(tracked, documents), found.grad_norm, rtol=1e-5)


def test_norms_of_pairs_are_the_dense_ones():
    tracked, H = tiny.tiny_engine()
    reference = track(tiny.tiny_model(seed=1))
    pairs = tiny_pairs.pairs(tracked, reference)
    found = corpus_pass(tracked, H, pairs, N).norms
    for i, pair in enumerate(pairs):
        g = tiny_pairs.gradient(tracked, reference, pair)
        solved = tiny.dense_solve(tiny.random_factors(tracked), g)
        loss = tiny_pairs.loss(tracked, tiny.parameters(tracked), reference, pair)
        assert found.loss[i] == pytest.approx(float(loss.detach()), rel=1e-5)
        assert found.grad_norm[i] == pytest.approx(float(tiny.inner(g, g).sum().sqrt()), rel=1e-5)
        assert found.self_influence[i] == pytest.approx(float(tiny.inner(g, solved).sum() / N), rel=1e-5)
        assert found.solve_norm[i] == pytest.approx(float(tiny.inner(solved, solved).sum().sqrt() / N), rel=1e-5)
    np.testing.assert_allclose(gradient_norms(tracked, pairs), found.grad_norm, rtol=1e-5)


def test_a_document_with_nothing_to_learn_has_no_norm():
    tracked, H = tiny.tiny_engine()
    found = corpus_pass(tracked, H, [tiny.Row((3,))], N).norms
    assert (found.loss[0], found.grad_norm[0], found.self_influence[0], found.skipped) == (0, 0, 0, ())


def test_norms_need_curvature():
    tracked, _ = tiny.tiny_engine()
    with pytest.raises(BadInput, match="fitted curvature"):
        corpus_pass(tracked, no_curvature(tracked), tiny.tiny_documents(), N)

import pytest
import torch

from attribution.curvature.blocks import damp, no_curvature
from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.gauss_newton.products import GaussNewton
from attribution.gauss_newton.solve import WholeInverse
from attribution.gauss_newton.vectors import Vectors, as_directions, as_vectors
from attribution.model.tracked import track
from attribution.query.solve import query_directions
from tests.attribution import tiny
from tests.attribution.gauss_newton import dense

IDS = (1, 5, 2, 7, 3)


def _asked(tracked, first=4):
    return query_directions(tracked, no_curvature(tracked), IDS, first, negligible=0)


def _engine(kind="llama"):
    """Damped enough for few steps."""
    tracked = track(tiny.tiny_model(kind))
    return tracked, damp(tiny.random_factors(tracked), 2.0)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_enough_steps_are_the_dense_solve(kind):
    tracked, preconditioner = _engine(kind)
    documents = tiny.tiny_documents(4)[1:3]
    A = dense.damped(dense.gauss_newton(tracked, documents), tracked, preconditioner)
    inverse = WholeInverse(tracked, preconditioner, GaussNewton(tracked, documents), 100, 1e-6)
    gradients = _asked(tracked)
    found, residual = inverse.solve(gradients)
    b = dense.as_rows(as_vectors(tracked, gradients))
    expected = torch.linalg.solve(A, b.T).T
    assert dense.off(dense.as_rows(as_vectors(tracked, found)), expected) < 1e-5
    torch.testing.assert_close(found.energy, (b * expected).sum(dim=1), rtol=1e-5, atol=0)
    torch.testing.assert_close(found.values, gradients.values)
    assert float(residual.max()) < 1e-6


def test_influence_is_the_product_with_the_dense_solve():
    tracked, preconditioner = _engine()
    documents = tiny.tiny_documents(4)[1:3]
    A = dense.damped(dense.gauss_newton(tracked, documents), tracked, preconditioner)
    inverse = WholeInverse(tracked, preconditioner, GaussNewton(tracked, documents), 100, 1e-6)
    scores = score_documents(tracked, inverse.solve(_asked(tracked))[0], documents, 100).values.sum(axis=2)
    b = dense.as_rows(as_vectors(tracked, _asked(tracked)))
    for d, document in enumerate(documents):
        g = dense.flat(tiny.gradient(tracked, lambda moving, z=document: tiny.loss(tracked, moving, z)))
        expected = -(torch.linalg.solve(A, b.T).T @ g) / 100
        torch.testing.assert_close(torch.from_numpy(scores[:, d]), expected.float(), rtol=1e-4, atol=1e-6)


def test_memory_and_neighbours_do_not_change_a_solution():
    tracked, preconditioner = _engine()
    documents = tiny.tiny_documents(4)
    inverse = WholeInverse(tracked, preconditioner, GaussNewton(tracked, documents), 3)
    gradients = _asked(tracked, 2)
    expected, residual = inverse.solve(gradients)
    small = tiny.scheduled(tracked, memory=1, tokens=4, cached=1)
    found, same = WholeInverse(small, preconditioner, GaussNewton(small, documents), 3).solve(gradients)
    turned, other = inverse.solve(gradients.of([2, 0]))
    values = dense.as_rows(as_vectors(tracked, expected))
    assert dense.off(dense.as_rows(as_vectors(tracked, found)), values) < 1e-5
    assert dense.off(dense.as_rows(as_vectors(tracked, turned)), values[[2, 0]]) < 1e-5
    torch.testing.assert_close(same, residual, rtol=1e-5, atol=0)
    torch.testing.assert_close(other, residual[[2, 0]], rtol=1e-5, atol=0)
    assert float(residual.min()) > 1e-6  # three steps are not enough: nothing is compared with its own limit


def test_one_step_ranks_as_the_block_inverse_does():
    tracked, preconditioner = _engine()
    documents = tiny.tiny_documents(4)
    one, _ = WholeInverse(tracked, preconditioner, GaussNewton(tracked, documents), 1).solve(_asked(tracked))
    blocks = query_directions(tracked, preconditioner, IDS, 4, negligible=0)
    ours, theirs = (score_documents(tracked, of, documents, 10).values.sum(axis=2) for of in (one, blocks))
    ratio = torch.from_numpy(ours / theirs)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-3, atol=0)


def test_rows_that_no_document_notices_are_left_out():
    tracked, preconditioner = _engine()
    x = dense.vectors(tracked, 2)
    x.blocks[-1][0, 4:] *= 1e-9
    some = torch.zeros(2, dtype=tracked.dtype)
    kept = as_directions(tracked, x, some, some, preconditioner)
    assert kept.embedding[0].query(0)[0].tolist() == [0, 1, 2, 3]
    assert len(kept.embedding[0].query(1)[0]) == tiny.V
    every = as_vectors(tracked, as_directions(tracked, x, some, some))
    torch.testing.assert_close(dense.as_rows(every), dense.as_rows(x))


def test_blocks_without_curvature_are_refused():
    tracked, _ = _engine()
    inverse = WholeInverse(tracked, no_curvature(tracked), GaussNewton(tracked, tiny.tiny_documents(2)), 1)
    with pytest.raises(BadInput, match="expected fitted curvature"):
        inverse.damped(Vectors(dense.vectors(tracked, 1).blocks))

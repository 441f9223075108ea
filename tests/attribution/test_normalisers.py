import numpy as np
import pytest

from attribution.curvature.blocks import no_curvature
from attribution.curvature.ghost_norm import gradient_norms
from attribution.errors import BadInput
from attribution.exact.cosine import gradient_cosine
from attribution.exact.scores import score_documents
from attribution.index.corpus_pass import corpus_pass
from attribution.influence import self_influence
from attribution.normalisers import NORMALISERS, Norms, normalise
from attribution.query.directions import Directions
from attribution.query.solve import query_directions
from tests.attribution import tiny

N = 50
IDS = (0, 3, 4, 5, 3, 7)


def everything():
    tracked, H = tiny.tiny_engine()
    documents = tiny.tiny_documents()
    d = query_directions(tracked, H, IDS, 4, negligible=0)
    of = corpus_pass(tracked, H, documents, N).norms
    queries = self_influence(d.energy.numpy(), N)
    norms = Norms(of.grad_norm, of.self_influence, of.solve_norm, queries)
    return tracked, documents, score_documents(tracked, d, documents, N).values, norms


def test_normalisers_are_the_dense_ones():
    tracked, documents, scores, norms = everything()
    factors = tiny.random_factors(tracked)
    f = tiny.gradient(tracked, lambda m: -tiny.loss(tracked, m, tiny.Row(IDS, first_target=5)))
    g = tiny.gradient(tracked, lambda m: tiny.loss(tracked, m, documents[0]))
    Hf, Hg = tiny.dense_solve(factors, f), tiny.dense_solve(factors, g)
    score = float(-tiny.inner(f, Hg).sum() / N)
    length = float(tiny.inner(g, g).sum()) ** 0.5
    expected = {
        "none": score,
        "grad_norm": score / length,
        "grad_norm_squared": score / length**2,
        "relatif_l": score / float(tiny.inner(g, Hg).sum() / N) ** 0.5,
        "relatif_theta": score / (float(tiny.inner(Hg, Hg).sum()) ** 0.5 / N),
        "cosine": score / float(tiny.inner(f, Hf).sum() * tiny.inner(g, Hg).sum() / N**2) ** 0.5,
    }
    assert set(expected) == set(NORMALISERS)
    for name, value in expected.items():
        assert normalise(scores.sum(axis=2), norms, name)[1, 0] == pytest.approx(value, rel=1e-5), name
        assert normalise(scores, norms, name)[1, 0].sum() == pytest.approx(value, rel=1e-4), name


def test_cosine_of_a_query_with_itself_is_one():
    tracked, H = tiny.tiny_engine()
    document = tiny.tiny_documents()[0]
    first = document.first_target
    d = query_directions(tracked, H, document.ids, first, negligible=0)
    whole = Directions(*(None,) * 4) if d.n == 0 else d  # one token: the query is the document with the sign turned
    of = corpus_pass(tracked, H, [tiny.Row(document.ids, len(document.ids) - 1)], N).norms
    norms = Norms(of.grad_norm, of.self_influence, of.solve_norm, self_influence(whole.energy.numpy(), N))
    scores = score_documents(tracked, d, [tiny.Row(document.ids, len(document.ids) - 1)], N).values.sum(axis=2)
    assert normalise(scores, norms, "cosine")[-1, 0] == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("norm", [0.0, np.nan])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3)])
def test_a_document_without_gradient_has_influence_zero_and_no_normalised_score(norm, shape):
    norms = Norms(*(np.array([norm], dtype=np.float32) for _ in range(3)), np.ones(1, dtype=np.float32))
    nothing = np.zeros(shape, dtype=np.float32)
    for name in NORMALISERS:
        found = normalise(nothing, norms, name)
        assert found.shape == shape and found.dtype == np.float32
        assert (found == 0).all() if name == "none" else np.isnan(found).all(), name


@pytest.mark.parametrize("name", ["relatif_l", "cosine"])
def test_a_self_influence_that_rounding_left_below_zero_is_that_of_no_gradient(name):
    norms = Norms(np.ones(1), np.array([-1e-12]), np.ones(1), np.ones(1))
    assert np.isnan(normalise(np.zeros((1, 1)), norms, name)).all()


def test_a_document_without_gradient_moves_no_sum_and_no_neighbour():
    """What is undefined stays with its document: the others have the scores that they have alone."""
    scores = np.array([[2.0, 0.0, -3.0]])
    of = np.array([2.0, 0.0, 4.0])
    norms, alone = Norms(of, of, of, np.ones(1)), Norms(*(of[[0, 2]],) * 3, np.ones(1))
    for name in NORMALISERS:
        found = normalise(scores, norms, name)
        np.testing.assert_array_equal(found[:, [0, 2]], normalise(scores[:, [0, 2]], alone, name))
        assert found.dtype == np.float64


def test_every_normaliser_says_what_it_means():
    for each in NORMALISERS.values():
        assert each.label and each.unit and each.meaning.endswith(".")


def test_an_unknown_normaliser_is_refused():
    with pytest.raises(BadInput, match="relatif_l"):
        normalise(np.zeros((1, 1), dtype=np.float32), Norms(*(np.ones(1, dtype=np.float32),) * 4), "relatif")


def test_gradient_dot_and_cosine():
    tracked, documents, _, _ = everything()
    f = tiny.gradient(tracked, lambda m: -tiny.loss(tracked, m, tiny.Row(IDS, first_target=5)))
    g = tiny.gradient(tracked, lambda m: tiny.loss(tracked, m, documents[0]))
    d = query_directions(tracked, no_curvature(tracked), IDS, 5)
    dot = score_documents(tracked, d, documents, N)
    np.testing.assert_allclose(dot.values[0, 0], -tiny.inner(f, g).numpy() / N, rtol=1e-4, atol=1e-8)
    cosine = gradient_cosine(dot, d, gradient_norms(tracked, documents), N)[0, 0].sum()
    size = float(tiny.inner(f, f).sum() * tiny.inner(g, g).sum()) ** 0.5
    assert cosine == pytest.approx(-float(tiny.inner(f, g).sum()) / size, rel=1e-4)


def test_a_document_without_gradient_has_no_cosine():
    """0 / 0 in every layer, as for the normalisers: unknown, not zero; the others have what they have without it."""
    tracked, _, _, _ = everything()
    documents = [*tiny.tiny_documents(3), tiny.Row((1, 2, 3), learned=())]
    d = query_directions(tracked, no_curvature(tracked), IDS, 4)
    dot, lengths = score_documents(tracked, d, documents, N), gradient_norms(tracked, documents)
    assert lengths[3] == 0
    assert not dot.values[:, 3].any()
    cosine = gradient_cosine(dot, d, lengths, N)
    assert np.isnan(cosine[:, 3]).all()
    alone = gradient_cosine(score_documents(tracked, d, documents[:3], N), d, lengths[:3], N)
    np.testing.assert_allclose(cosine[:, :3], alone, rtol=1e-6)

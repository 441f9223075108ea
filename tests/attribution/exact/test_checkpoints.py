import numpy as np
import pytest

from attribution.curvature.blocks import damp
from attribution.errors import BadInput
from attribution.exact.checkpoints import averaged, tracin
from attribution.exact.scores import score_documents
from attribution.model.tracked import track
from attribution.query.solve import query_directions
from tests.attribution import tiny
from tests.attribution.over_checkpoints import score_checkpoints

N = 50
IDS = (0, 3, 4, 5, 3, 7)


def queries(checkpoint):
    return query_directions(checkpoint.tracked, checkpoint.preconditioner, IDS, 4, negligible=0)


def members():
    tracked = [track(tiny.tiny_model(seed=seed)) for seed in (0, 1)]
    return [(of, damp(tiny.random_factors(of, seed))) for seed, of in enumerate(tracked)]


def test_the_average_is_weighted_and_in_nats():
    documents = tiny.tiny_documents()
    single = [score_documents(of, query_directions(of, H, IDS, 4, negligible=0), documents, N) for of, H in members()]
    found = score_checkpoints(averaged(members(), [1, 3]), queries, documents, N)
    np.testing.assert_allclose(found, 0.25 * single[0].values + 0.75 * single[1].values, rtol=1e-5, atol=1e-8)
    one = score_checkpoints(averaged(members()[:1]), queries, documents, N)
    np.testing.assert_allclose(one, single[0].values)


def test_linear_layers_count_as_much_as_they_are_told():
    documents = tiny.tiny_documents()
    full = score_checkpoints(averaged(members()), queries, documents, N)
    found = score_checkpoints(averaged(members(), linear=0.25), queries, documents, N)
    n_linear = len(members()[0][0].linear)
    assert found.shape[2] > n_linear
    np.testing.assert_allclose(found[:, :, :n_linear], 0.25 * full[:, :, :n_linear], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found[:, :, n_linear:], full[:, :, n_linear:], rtol=1e-5, atol=1e-8)
    with pytest.raises(BadInput, match="positive weight"):
        averaged(members(), linear=0.0)


def test_tracin_is_the_sum_of_gradient_products():
    tracked = [of for of, _ in members()]
    documents = tiny.tiny_documents()[:2]
    found = score_checkpoints(tracin(tracked, [0.1, 0.02], N), queries, documents, N)[1, 1].sum()  # without 1/N
    expected = 0.0
    for of, rate in zip(tracked, [0.1, 0.02], strict=True):
        f = tiny.gradient(of, lambda m, of=of: -tiny.loss(of, m, tiny.Row(IDS, first_target=5)))
        g = tiny.gradient(of, lambda m, of=of: tiny.loss(of, m, documents[1]))
        expected -= rate * float(tiny.inner(f, g).sum())
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0]])
def test_weights_must_fit(weights):
    with pytest.raises(BadInput, match="2 checkpoints"):
        averaged(members(), weights)


def test_rates_must_fit():
    with pytest.raises(BadInput, match="learning rate"):
        tracin([of for of, _ in members()], [0.1], N)

import numpy as np
import pytest

from attribution.curvature.blocks import damp
from attribution.curvature.stages import across_stages
from attribution.errors import BadInput
from attribution.exact.query import query_directions
from attribution.exact.scores import score_documents
from attribution.model.tracked import track
from tests.attribution import tiny

N = 50
IDS = (0, 3, 4, 5, 3, 7)


def stages():
    pretrained, finetuned = (track(tiny.tiny_model(seed=seed)) for seed in (0, 1))
    return pretrained, finetuned, tiny.random_factors(pretrained, 2), tiny.random_factors(finetuned, 3)


def test_two_dense_inverses():
    pretrained, finetuned, G_pt, G_ft = stages()
    document = tiny.tiny_documents()[0]
    alpha = 0.2
    f = tiny.gradient(finetuned, lambda m: -tiny.loss(finetuned, m, tiny.Row(IDS, first_target=5)))
    g = tiny.gradient(pretrained, lambda m: tiny.loss(pretrained, m, document))
    near, far = tiny.dense_solve(G_ft, f, alpha), tiny.dense_solve(G_pt, g, 0.1)
    alphas = [alpha * G.trace() / len(G) for G in tiny.dense_curvature(G_ft)]
    expected = [-a * (x * y).sum() / N for a, x, y in zip(alphas, near, far, strict=True)]
    d = query_directions(finetuned, across_stages(G_ft, G_pt, alpha, 0.1), IDS, 5, negligible=0)
    found = score_documents(pretrained, d, [document], N).values[0, 0]
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-5, atol=1e-9)


def test_a_model_held_at_its_start_has_the_influence_of_its_start():
    pretrained, _, G_pt, G_ft = stages()
    documents = tiny.tiny_documents()
    held = query_directions(pretrained, across_stages(G_ft, G_pt, alpha=1e7), IDS, 4)
    alone = query_directions(pretrained, damp(G_pt), IDS, 4)
    one, other = (score_documents(pretrained, d, documents, N).values for d in (held, alone))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(other).max())


def test_stages_must_have_the_same_layers():
    pretrained, finetuned, G_pt, _ = stages()
    fewer = tiny.random_factors(track(finetuned.loaded, embedding=False))
    with pytest.raises(BadInput, match="same layers"):
        across_stages(fewer, G_pt)

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.stages import across_stages, held_by
from attribution.errors import BadInput
from attribution.exact.scores import score_documents
from attribution.model.tracked import track
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs

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
    d = query_directions(finetuned, across_stages([G_pt, G_ft], alpha, 0.1)[0], IDS, 5, negligible=0)
    found = score_documents(pretrained, d, [document], N).values[0, 0]
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-5, atol=1e-9)


@pytest.fixture(scope="module")
def three():
    """Three stages of one model, the factors of each, α and the damping of the first."""
    of = [track(tiny.tiny_model(seed=seed)) for seed in (0, 1, 2)]
    factors = [tiny.random_factors(tracked, seed) for tracked, seed in zip(of, (3, 4, 5), strict=True)]
    return of, factors, 0.2, 0.07


def test_three_dense_inverses(three):
    """The recursion written out: P₁ = α₂ α₃ (G₁ + λ)⁻¹ (G₂ + α₂)⁻¹ (G₃ + α₃)⁻¹ ∇f, on dense matrices."""
    of, factors, alpha, damping = three
    P = tiny.gradient(of[-1], lambda m: -tiny.loss(of[-1], m, tiny.Row(IDS, first_target=5)))
    solves = across_stages(factors, alpha, damping)
    for s in (2, 1, 0):
        P = tiny.dense_solve(factors[s], P, alpha if s else damping)
        document = tiny.tiny_documents()[s]
        g = tiny.gradient(of[s], lambda m, s=s, document=document: tiny.loss(of[s], m, document))
        d = query_directions(of[-1], solves[s], IDS, 5, negligible=0)
        found = score_documents(of[s], d, [document], N).values[0, 0]
        np.testing.assert_allclose(found, -tiny.inner(P, g) / N, rtol=1e-5, atol=1e-9)
        P = tuple(alpha * (G.trace() / len(G)) * x for G, x in zip(tiny.dense_curvature(factors[s]), P, strict=True))


def test_three_stages_the_last_of_which_learned_pairs(three):
    """Pre-training, fine-tuning with a mask, DPO with its parent as reference: true losses, dense matrices.

    α of the pairs is a share of the mean eigenvalue of the reference.
    """
    of, factors, alpha, damping = three
    texts = tiny.tiny_documents()
    documents = [texts[:3], [texts[3]], tiny_pairs.pairs(of[2], of[1], 3)]
    sizes = (50, 20, 7)  # N of each stage
    P = tiny.gradient(of[-1], lambda m: -tiny.loss(of[-1], m, tiny.Row(IDS, first_target=5)))
    solves = across_stages(factors, alpha, damping, preferences=[2])
    for s, holding in ((2, 1), (1, 1), (0, 0)):
        blocks = zip(tiny.dense_curvature(factors[s]), tiny.dense_curvature(factors[holding]), P, strict=True)
        P, pulled = zip(*(solved(*block, alpha if s else damping) for block in blocks), strict=True)
        d = query_directions(of[-1], solves[s], IDS, 5, negligible=0)
        found = score_documents(of[s], d, documents[s], sizes[s]).values[0]
        for i, document in enumerate(documents[s]):
            if s == 2:
                g = tiny_pairs.gradient(of[2], of[1], document)
            else:
                g = tiny.gradient(of[s], lambda m, s=s, document=document: tiny.loss(of[s], m, document))
            np.testing.assert_allclose(found[i], -tiny.inner(P, g) / sizes[s], rtol=1e-5, atol=1e-9)
        P = pulled


def test_preferences_on_preferences_are_held_by_the_last_stage_that_learned_texts():
    of = [tiny.random_factors(track(tiny.tiny_model(seed=seed)), seed) for seed in range(4)]
    assert held_by(of, [2, 3]) is of[1]
    assert held_by(of, [3]) is of[2]
    assert held_by(of, [1]) is held_by(of[:1], [0]) is None
    other = tiny.random_factors(track(tiny.tiny_model("llama-untied")))
    with pytest.raises(BadInput, match="track the same layers of both"):
        held_by([of[0], other], [1])


def solved(G, of, f, alpha):
    """(G + αI)⁻¹ f, and α times it; α: a share of the mean eigenvalue of `of`."""
    held = alpha * of.trace() / len(of)
    x = torch.linalg.solve(G + held * torch.eye(len(G), dtype=G.dtype), f.flatten()).view_as(f)
    return x, held * x


def test_a_model_held_at_its_start_has_the_influence_of_its_start():
    pretrained, _, G_pt, G_ft = stages()
    documents = tiny.tiny_documents()
    held = query_directions(pretrained, across_stages([G_pt, G_ft], alpha=1e7)[0], IDS, 4)
    alone = query_directions(pretrained, damp(G_pt), IDS, 4)
    one, other = (score_documents(pretrained, d, documents, N).values for d in (held, alone))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(other).max())


def test_stages_must_have_the_same_layers():
    pretrained, finetuned, G_pt, _ = stages()
    fewer = tiny.random_factors(track(finetuned.loaded, embedding=False))
    with pytest.raises(BadInput, match="same layers"):
        across_stages([G_pt, fewer])

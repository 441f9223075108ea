import numpy as np
import pytest
import torch

from attribution.exact.scores import score_documents
from attribution.exact.token_loss import token_losses
from attribution.model.tracked import track
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs

N = 50
IDS = (0, 3, 4, 5, 3, 7)


def direction(tracked):
    """H⁻¹∇f of the last token, dense."""
    query = tiny.Row(IDS, first_target=len(IDS) - 1)
    f = tiny.gradient(tracked, lambda moving: -tiny.loss(tracked, moving, query))
    return tiny.dense_solve(tiny.random_factors(tracked), f)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_token_losses_sum_to_the_influence(kind):
    tracked, H = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents(6)
    d = query_directions(tracked, H, IDS, 4)
    own = [[5, 2, 0], [1, 3, 4]]
    found = token_losses(tracked, d, documents, own, N, n_labels=3)
    scores = score_documents(tracked, d, documents, N).values.sum(axis=2)
    for q, of in enumerate(own):
        sums = [one.influences.sum() for one in found[q]]
        np.testing.assert_allclose(sums, scores[q, of], rtol=1e-5, atol=1e-7)
        for one, i in zip(found[q], of, strict=True):
            assert one.influences.shape == (len(documents[i]),)
            assert (one.influences[: documents[i].first_target] == 0).all()


def test_each_token_against_its_own_gradient():
    tracked, H = tiny.tiny_engine()
    document = tiny.Row((0, 1, 2, 3))
    d = query_directions(tracked, H, IDS, len(IDS) - 1, negligible=0)
    ((found,),) = token_losses(tracked, d, [document], [[0]], N)
    v = direction(tracked)
    for t in (1, 2, 3):
        one = tiny.Row(document.ids[: t + 1], first_target=t)
        g = tiny.gradient(tracked, lambda moving, of=one: tiny.loss(tracked, moving, of))
        assert found.influences[t] == pytest.approx(float(-tiny.inner(v, g).sum() / N), rel=1e-5)


MASKED = tiny.Row((5, 2, 7, 0, 2, 9, 2, 8), first_target=2, learned=((1, 5), (6, 8)), windows=(3, 4, 1))


@pytest.mark.parametrize(
    ("document", "t", "window"),
    [
        (tiny.Row((0, 1, 2, 3)), 2, 0),
        (MASKED, 2, 0),  # the first token that is learned
        (MASKED, 4, 3),  # in the second window, which reads nothing of the first
        (MASKED, 6, 3),  # after a token that is read and not learned
    ],
)
def test_relabelling_is_the_difference_of_gradients(plain, document, t, window):
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, IDS, len(IDS) - 1, negligible=0)
    ((found,),) = token_losses(tracked, d, [document], [[0]], N, n_labels=tiny.V - 1)
    v = direction(tracked)
    one = tiny.Row(document.ids[window : t + 1], first_target=t - window)
    truth = {}
    for y in range(tiny.V):
        labels = torch.tensor([y])
        g = tiny.gradient(tracked, lambda moving, y=labels: -tiny.token_logp(tracked, moving, one, y).sum())
        truth[y] = float(-tiny.inner(v, g).sum() / N)
    changes = {y: truth[y] - truth[document.ids[t]] for y in range(tiny.V) if y != document.ids[t]}
    best = sorted(changes, key=lambda y: -changes[y])
    assert found.label_ids[t].tolist() == best
    np.testing.assert_allclose(found.label_influences[t], [changes[y] for y in best], rtol=1e-5, atol=1e-8)


def test_input_18_only_what_the_model_finds_plausible_is_a_replacement(monkeypatch):
    """Few that are probable, or the first guesses, each with its probability; the best of them first."""
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, IDS, 5)
    document = tiny.Row((0, 1, 2, 3, 5))
    ((every,),) = token_losses(tracked, d, [document], [[0]], N, n_labels=tiny.V - 1)
    ids = torch.tensor(document.ids)
    p = tiny.logits(tracked, tiny.parameters(tracked), ids).softmax(-1).detach().numpy()  # [T, V]
    for least, n_guesses, near in ((0.15, 1, 0.0), (2.0, 3, 0.0), (0.05, 2, 0.0), (2.0, tiny.V, 0.8)):
        monkeypatch.setattr("attribution.exact.token_loss.NEAR", near)
        monkeypatch.setattr("attribution.exact.token_loss.PLAUSIBLE", least)
        monkeypatch.setattr("attribution.exact.token_loss.GUESSES", n_guesses)
        ((found,),) = token_losses(tracked, d, [document], [[0]], N, n_labels=tiny.V - 1)
        for t in range(1, 5):
            guesses = np.argsort(-p[t - 1])[:n_guesses].tolist()
            guesses = [y for y in guesses if p[t - 1, y] >= near * p[t - 1].max()]
            known = {y for y in range(tiny.V) if p[t - 1, y] >= least or y in guesses} - {document.ids[t]}
            expected = [y for y in every.label_ids[t].tolist() if y in known]
            n = len(expected)
            assert found.label_ids[t].tolist() == expected + [-1] * (tiny.V - 1 - n)
            np.testing.assert_allclose(found.label_probabilities[t, :n], p[t - 1, expected], rtol=1e-5)
            before = dict(zip(every.label_ids[t].tolist(), every.label_influences[t].tolist(), strict=True))
            np.testing.assert_allclose(found.label_influences[t, :n], [before[y] for y in expected], rtol=1e-5)
            assert np.isnan(found.label_influences[t, n:]).all() and np.isnan(found.label_probabilities[t, n:]).all()
        np.testing.assert_allclose(found.influences, every.influences)


def test_only_learned_tokens_are_relabelled():
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, IDS, 5)
    ((found,),) = token_losses(tracked, d, [MASKED], [[0]], N, n_labels=2)
    assert np.flatnonzero(found.label_ids[:, 0] >= 0).tolist() == [2, 4, 6]
    assert np.flatnonzero(found.influences).tolist() == [2, 4, 6]


def test_a_token_that_is_no_target_has_no_labels():
    tracked, H = tiny.tiny_engine()
    d = query_directions(tracked, H, IDS, 5)
    ((found,),) = token_losses(tracked, d, [tiny.Row((0, 1, 2, 3), first_target=2)], [[0]], N, n_labels=2)
    assert found.label_ids[:2].tolist() == [[-1, -1], [-1, -1]]
    assert np.isnan(found.label_influences[:2]).all()
    assert np.isfinite(found.label_influences[2:]).all()


def test_the_tokens_of_a_pair_push_by_its_weight_away_from_the_rejected_answer():
    tracked, H = tiny.tiny_engine()
    pairs = tiny_pairs.pairs(tracked, track(tiny.tiny_model(seed=1)), 3)
    d = query_directions(tracked, H, IDS, len(IDS) - 1, negligible=0)
    (found,) = token_losses(tracked, d, pairs, [range(3)], N, n_labels=tiny.V - 1)
    scores = score_documents(tracked, d, pairs, N).values.sum(axis=2)[0]
    np.testing.assert_allclose([one.influences.sum() for one in found], scores, rtol=1e-5, atol=1e-9)
    v, w = direction(tracked), pairs[0].preference.weight()
    for start, window, sign in zip((0, pairs[0].windows[0]), pairs[0].rows(), (1, -1), strict=True):
        t = int(window.targets().nonzero()[0][-1])
        one = tiny.Row(window.ids[: t + 1], first_target=t)
        truth = []
        for y in range(tiny.V):
            labels = torch.tensor([y])
            g = tiny.gradient(tracked, lambda moving, y=labels, of=one: -tiny.token_logp(tracked, moving, of, y).sum())
            truth.append(float(-tiny.inner(v, g).sum() * sign * w / N))
        said = window.ids[t]
        assert found[0].influences[start + t] == pytest.approx(truth[said], rel=1e-5)
        changes = {y: truth[y] - truth[said] for y in range(tiny.V) if y != said}
        best = sorted(changes, key=lambda y: -changes[y])
        assert found[0].label_ids[start + t].tolist() == best
        expected = [changes[y] for y in best]
        np.testing.assert_allclose(found[0].label_influences[start + t], expected, rtol=1e-5, atol=1e-9)

import numpy as np
import pytest
import torch

from attribution.exact.scores import score_documents
from attribution.exact.shares import position_shares
from attribution.model.tracked import track
from attribution.query.low_rank import factor
from attribution.query.solve import query_directions
from tests.attribution import tiny, tiny_pairs

N = 50
IDS = (0, 3, 4, 5, 3, 7)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_shares_sum_to_the_influence_in_every_layer(kind):
    tracked, H = tiny.tiny_engine(kind)
    documents = [*tiny.tiny_documents(7), *tiny_pairs.pairs(tracked, track(tiny.tiny_model(kind, 1)), 2)]
    d = query_directions(tracked, H, IDS, 4)
    own = [[6, 0, 3, 8], [1, 7, 2, 6]]
    shares = position_shares(tracked, d, documents, own, N)
    scores = score_documents(tracked, d, documents, N).values
    for q, of in enumerate(own):
        for share, i in zip(shares[q], of, strict=True):
            assert share.shape == (len(documents[i]), len(tracked.layers))
            np.testing.assert_allclose(share.sum(axis=0), scores[q, i], rtol=1e-5, atol=1e-8)


def test_a_share_is_delta_p_a():
    tracked, H = tiny.tiny_engine(seed=3)
    document = tiny.Row((0, 1, 2, 3))
    d = query_directions(tracked, H, IDS, 5)
    ((share,),) = position_shares(tracked, d, [document], [[0]], N)
    inputs, deltas = [], []
    module = tracked.modules()[4]

    def keep(_, args, output):
        inputs.append(args[0][0])
        output.register_hook(lambda delta: deltas.append(delta[0]))

    hook = module.register_forward_hook(keep)
    logp = tracked.loaded.model(torch.tensor([document.ids])).logits[0].log_softmax(-1)
    (-logp[torch.arange(3), torch.tensor(document.ids[1:])].sum()).backward()
    hook.remove()
    expected = -torch.einsum("to,oi,ti->t", deltas[0], d.linear[4].values[0], inputs[0]) / N
    np.testing.assert_allclose(share[:, 4], expected.detach().numpy(), rtol=1e-5, atol=1e-8)


def test_full_rank_factors_change_nothing_and_low_rank_ones_are_near():
    tracked, H = tiny.tiny_engine()
    factors = tiny.random_factors(tracked)
    documents = tiny.tiny_documents(7)
    d = query_directions(tracked, H, IDS, 4)
    own = [[0, 1], [2, 3]]
    exact = position_shares(tracked, d, documents, own, N)
    full = position_shares(tracked, d, documents, own, N, factored=factor(d, factors, tiny.H))
    low = position_shares(tracked, d, documents, own, N, factored=factor(d, factors, 4))
    for a, b, c in zip(sum(exact, []), sum(full, []), sum(low, []), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7)
        assert np.corrcoef(a.ravel(), c.ravel())[0, 1] > 0.9

"""A pair's loss and gradient are those of DPO, with both models run by autograd."""

import pytest
import torch

from attribution.errors import BadInput
from attribution.model.tracked import track
from attribution.passes.batches import Row, pad, plan_batches
from attribution.passes.capture import capture
from attribution.passes.embedding import block_gradients
from attribution.passes.margins import margins
from attribution.passes.preference import Preference
from tests.attribution import tiny, tiny_pairs


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_the_gradient_of_a_pair_is_that_of_dpo(kind):
    tracked, reference = (track(tiny.tiny_model(kind, seed)) for seed in (0, 1))
    pairs = tiny_pairs.pairs(tracked, reference)
    captured = capture(tracked, pad(pairs, range(len(pairs))))
    found = [delta.mT @ a for delta, a in zip(captured.deltas, captured.inputs, strict=True)]
    found += [block_gradients(tracked, captured, i, torch.arange(tiny.V)) for i in range(len(tracked.embedding))]
    for b, pair in enumerate(pairs):
        for block, truth in zip(found, tiny_pairs.gradient(tracked, reference, pair), strict=True):
            torch.testing.assert_close(block[b], truth, rtol=1e-8, atol=1e-10)
        expected = tiny_pairs.loss(tracked, tiny.parameters(tracked), reference, pair)
        torch.testing.assert_close(captured.loss[b], expected)


def test_margins_do_not_depend_on_the_batch():
    tracked, reference = (track(tiny.tiny_model(seed=seed)) for seed in (0, 1))
    rows = tiny_pairs.unweighted(6)
    together = margins(tracked, reference, rows)
    for row, margin in zip(rows, together, strict=True):
        assert margins(tracked, reference, [row])[0] == pytest.approx(margin, rel=1e-9)
        by_model = []
        for of in (tracked, reference):
            chosen, rejected = (tiny.loss_value(of, each) for each in row.rows())
            by_model.append(rejected - chosen)
        assert margin == pytest.approx(by_model[0] - by_model[1], rel=1e-9)


@pytest.mark.parametrize("margin", [-2000.0, -3.0, 0.0, 0.5, 40.0, 2000.0])
def test_loss_and_weight_are_those_of_autograd(margin):
    pair = Preference(0.4, margin)
    x = torch.tensor(margin, dtype=torch.float64, requires_grad=True)
    loss = -torch.nn.functional.logsigmoid(0.4 * x)
    (slope,) = torch.autograd.grad(loss, x)
    assert pair.loss == pytest.approx(float(loss.detach()), abs=1e-300)
    assert pair.weight() == pytest.approx(-float(slope), rel=1e-9, abs=1e-300)
    assert pair.weight(preferred=False) == pytest.approx(pair.weight() - 0.4, rel=1e-9)
    assert pair.probability == pytest.approx(float(torch.sigmoid(0.4 * x.detach())), abs=1e-300)


def test_a_drawn_preference_is_one_for_both_answers():
    tracked, reference = (track(tiny.tiny_model(seed=seed)) for seed in (0, 1))
    pair = tiny_pairs.pairs(tracked, reference, 1)[0]
    batch = pad([pair] * 4000, range(4000))
    w = batch.weights(torch.Generator().manual_seed(0)).view(4000, -1)
    signs = torch.tensor([1.0] * int(pair.rows()[0].targets().sum()) + [-1.0] * int(pair.rows()[1].targets().sum()))
    assert torch.equal(w, w[:, :1] * signs)
    of = pair.preference
    assert set(w[:, 0].tolist()) == {of.weight(), of.weight(preferred=False)}
    assert float(w[:, 0].mean()) == pytest.approx(0, abs=0.05 * of.beta)  # the mean of a score function
    assert float(w[:, 0].square().mean()) == pytest.approx(of.beta**2 * of.probability * (1 - of.probability), rel=0.1)


def test_pairs_have_batches_of_their_own():
    plain = Row((1, 2, 3, 4), windows=(2, 2))
    pair = Row((1, 2, 3, 4), windows=(2, 2), preference=Preference(0.1, 0.0))
    assert plan_batches([plain, pair, plain, pair]) == [[0, 2], [1, 3]]
    with pytest.raises(BadInput, match="expected pairs alone in a batch, found 1 other"):
        pad([plain, pair], [0, 1])
    assert pad([plain], [0]).weights() is None

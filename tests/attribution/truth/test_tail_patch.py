"""The tail patch against its first order, and against doing nothing."""

import copy
from dataclasses import replace

import pytest
import torch

from attribution.model.tracked import track
from attribution.passes.batches import Row
from attribution.rank_correlation import spearman
from attribution.truth import tail_patch as of
from tests.attribution import tiny, tiny_pairs

IDS, FIRST = (0, 3, 4, 5, 3, 7), 3


@pytest.fixture
def tracked():
    return track(tiny.tiny_model())


def gradient(model, function):
    found = torch.autograd.grad(function(model), list(model.parameters()), allow_unused=True)
    zero = [torch.zeros_like(p) for p in model.parameters()]
    return torch.cat([(z if g is None else g).flatten() for g, z in zip(found, zero, strict=True)])


def test_a_short_step_is_the_product_of_the_gradients(tracked, monkeypatch):
    monkeypatch.setattr(of, "STEP", 1e-4)
    documents = tiny.tiny_documents(3)
    model = tracked.loaded.model
    g = gradient(model, lambda m: of.mean_loss(m, documents))
    f = gradient(model, lambda m: of.mean_logp(m, IDS, FIRST))
    weight = torch.cat([p.detach().flatten() for p in model.parameters()]).norm()
    expected = -1e-4 * float(weight * (f @ g) / g.norm())
    assert of.tail_patch(tracked, documents, IDS, FIRST) == pytest.approx(
        expected, rel=3e-2
    )  # the second order is about one per cent


def test_learning_the_answer_itself_raises_it(tracked):
    assert of.tail_patch(tracked, [Row(IDS)], IDS, 1) > 0


def test_the_mean_is_over_learned_tokens_only(tracked):
    documents = [Row(IDS, first_target=4)]
    model = tracked.loaded.model
    with torch.no_grad():
        loss, logp = of.mean_loss(model, documents), of.mean_logp(model, IDS, 4)
    assert float(loss) == pytest.approx(-float(logp))


def test_a_pair_s_step_is_down_the_gradient_of_its_loss(tracked):
    reference = track(tiny.tiny_model(seed=1))
    [pair] = tiny_pairs.pairs(tracked, reference, 1)
    with torch.enable_grad():
        moving = dict(tracked.loaded.model.named_parameters())
        truth = torch.autograd.grad(tiny_pairs.loss(tracked, moving, reference, pair), list(moving.values()))
    found = gradient(tracked.loaded.model, lambda m: of.mean_loss(m, [pair])) * int(pair.targets().sum())
    torch.testing.assert_close(found, torch.cat([g.flatten() for g in truth]), rtol=1e-4, atol=1e-5)  # float32 norms
    assert of.mean_loss(tracked.loaded.model, [pair, Row(IDS)]).isfinite()  # beside a text, too


def test_the_model_is_left_as_it_was(tracked):
    before = copy.deepcopy(tracked.loaded.model.state_dict())
    of.tail_patch(tracked, tiny.tiny_documents(3), IDS, FIRST)
    after = tracked.loaded.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None for p in tracked.loaded.model.parameters())


def test_a_step_in_bfloat16_moves_every_entry_that_has_a_gradient():
    """Of the bfloat16 model itself a step of this length moves few: a number of it has eight bits."""
    documents = tiny.tiny_documents(3)
    narrow = track(tiny.tiny_model(dtype=torch.bfloat16)).loaded.model
    share, length = {}, {}
    for name, model in (("wide", of.wide_copy(narrow)), ("narrow", copy.deepcopy(narrow))):
        before = [p.detach().clone() for p in model.parameters()]
        gradients = torch.autograd.grad(of.mean_loss(model, documents), list(model.parameters()))
        of.step(model, documents)
        has = torch.cat([(g != 0).flatten() for g in gradients])
        moves = torch.cat([(p != b).flatten() for p, b in zip(model.parameters(), before, strict=True)])
        share[name] = float(moves[has].float().mean())
        ways = [(p.detach() - b).float().flatten() for p, b in zip(model.parameters(), before, strict=True)]
        length[name] = float(torch.cat(ways).norm() / torch.cat([b.float().flatten() for b in before]).norm())
    assert share["wide"] == 1
    assert length["wide"] == pytest.approx(of.STEP, rel=1e-3)
    assert share["narrow"] < 0.5
    assert {p.dtype for p in narrow.parameters()} == {torch.bfloat16}


def test_bfloat16_orders_documents_as_float32_does():
    """The patches of weights that were rounded, each against the same weights in float32."""
    documents = tiny.tiny_documents(30)
    loaded = tiny.tiny_model(dtype=torch.float32)
    wide, narrow = track(loaded), track(replace(loaded, model=copy.deepcopy(loaded.model).to(torch.bfloat16)))
    of_wide, of_narrow = ([of.tail_patch(each, [z], IDS, FIRST) for z in documents] for each in (wide, narrow))
    assert spearman(of_wide, of_narrow) > 0.99

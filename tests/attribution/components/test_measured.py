"""Measured effects against a hook that replaces one component in one pass, and what is chosen."""

import numpy as np
import pytest
import torch

from attribution.components.baseline import zero
from attribution.components.measured import (
    OTHER,
    RANDOM,
    STRONGEST,
    Component,
    agreement,
    logp_without,
    measure_components,
)
from attribution.components.reading import read
from attribution.components.total import total
from attribution.components.units import HEAD, NEURON
from attribution.errors import BadInput
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.components.opened import FIRST, IDS, KINDS, answer_logits, opened, some_baseline


def replaced(tracked, units, baseline, components):
    """log p of the answer's tokens with some components at their mean, by hooks that write into slices  # [K]"""
    hooks = []
    for kind, depth, number in components:
        if kind == HEAD:
            name, mean = units.heads_into[depth], baseline.heads[depth]
            where = slice(number * units.head_width, (number + 1) * units.head_width)
        else:
            name, mean, where = units.neurons_into[depth], baseline.neurons[depth], slice(number, number + 1)

        def put(_module, args, mean=mean, where=where):
            x = args[0].clone()
            x[..., where] = mean[where]
            return (x,)

        hooks.append(tracked.loaded.model.get_submodule(name).register_forward_pre_hook(put))
    with torch.no_grad():
        logp = answer_logits(tracked).log_softmax(-1)[range(len(IDS) - FIRST), IDS[FIRST:]]
    for hook in hooks:
        hook.remove()
    return logp.numpy()


def every_component(units):
    heads = [Component(HEAD, d, n) for d in range(units.n_blocks) for n in range(units.n_heads)]
    return heads + [Component(NEURON, d, n) for d in range(units.n_blocks) for n in range(units.n_neurons)]


@pytest.mark.parametrize("kind", [*KINDS, "OPT", "Falcon", "Phi 3", "OLMo 2"])
def test_replaced_in_a_batch_is_replaced_by_a_hook(kind):
    tracked, units, _ = opened(kind)
    baseline = some_baseline(units)
    components = every_component(units)
    sets = [(), *((one,) for one in components), components[:3], components[2:9], tuple(components)]
    found = logp_without(tracked, units, IDS, FIRST, baseline, sets)
    for row, each in zip(found, sets, strict=True):
        np.testing.assert_allclose(row, replaced(tracked, units, baseline, each), rtol=1e-6, atol=1e-7)


def test_neither_batch_nor_order_nor_what_follows_changes_a_replacement():
    tracked, units, _ = opened("llama")
    baseline, sets = some_baseline(units), [(one,) for one in every_component(units)]
    want = logp_without(tracked, units, IDS, FIRST, baseline, sets)
    small = tiny.scheduled(tracked, memory=1, tokens=1)
    assert small.batch_tokens == 1
    np.testing.assert_allclose(logp_without(small, units, IDS, FIRST, baseline, sets), want, rtol=1e-7)
    turned = logp_without(tracked, units, IDS, FIRST, baseline, sets[::-1])
    np.testing.assert_allclose(turned[::-1], want, rtol=1e-7)
    less = logp_without(tracked, units, IDS[:-1], FIRST, baseline, sets)
    np.testing.assert_allclose(less, want[:, :-1], rtol=1e-7)


def made(kind="llama", **settings):
    tracked, units, stream = opened(kind)
    baseline = some_baseline(units)
    of = total(tracked, units, read(tracked, units, stream, IDS, FIRST, graph=True), baseline)
    return of, baseline, measure_components(tracked, units, IDS, FIRST, of, baseline, **settings)


def test_the_strongest_by_total_are_measured_and_as_many_others():
    tracked, units, _ = opened("llama")
    of, baseline, found = made(n_heads=1, n_neurons=4)
    base = replaced(tracked, units, baseline, [])
    for k in range(4):
        mine = [each for each in found.effects if each.position == k]
        for kind, totals, n in ((HEAD, of.heads[k], 1), (NEURON, of.neurons[k], 4)):
            strongest = [each for each in mine if each.chosen == STRONGEST and each.component.kind == kind]
            random = [each for each in mine if each.chosen == RANDOM and each.component.kind == kind]
            sizes = sorted(np.abs(totals).ravel(), reverse=True)
            np.testing.assert_allclose([abs(each.predicted) for each in strongest], sizes[:n])
            assert len({each.component for each in (*strongest, *random)}) == 2 * n
        for each in mine:
            table = of.heads if each.component.kind == HEAD else of.neurons
            assert each.predicted == table[k][each.component.depth, each.component.number]
            loss = base[k] - replaced(tracked, units, baseline, [each.component])[k]
            assert each.measured == pytest.approx(loss, rel=1e-5, abs=1e-8)


def test_the_strongest_heads_are_replaced_together():
    tracked, units, _ = opened("qwen2")
    _, baseline, found = made("qwen2", n_heads=2, n_neurons=1)
    base = replaced(tracked, units, baseline, [])
    assert [each.position for each in found.together] == [0, 1, 2, 3]
    for each in found.together:
        for chosen, value in ((STRONGEST, each.strongest), (RANDOM, each.random)):
            heads = [
                one.component
                for one in found.effects
                if one.position == each.position and one.chosen == chosen and one.component.kind == HEAD
            ]
            assert len(heads) == 2
            loss = base[each.position] - replaced(tracked, units, baseline, heads)[each.position]
            assert value == pytest.approx(loss, rel=1e-5, abs=1e-8)


def test_random_ones_depend_on_the_answer_alone():
    of, _, found = made(n_heads=1, n_neurons=3)
    again = made(n_heads=1, n_neurons=3, positions=[2])[2]
    assert again.effects == tuple(each for each in found.effects if each.position == 2)
    tracked, units, _ = opened("llama")
    other = measure_components(tracked, units, (0, *IDS[1:]), FIRST, of, some_baseline(units), n_heads=1, n_neurons=3)
    chosen = [[each.component for each in run.effects if each.chosen == RANDOM] for run in (found, other)]
    assert chosen[0] != chosen[1]


def test_where_heads_are_few_half_of_them_are_strongest():
    found = made()[2]  # of four heads five are asked for
    heads = [each for each in found.effects if each.position == 0 and each.component.kind == HEAD]
    assert [each.chosen for each in heads] == [STRONGEST] * 2 + [RANDOM] * 2


def test_every_head_is_measured_where_they_are_few():
    """Beside what is chosen, which stays what it was, and with it the agreement."""
    tracked, units, _ = opened("llama")
    n = units.n_blocks * units.n_heads
    _, baseline, found = made(n_heads=1, n_neurons=2, every_head=n)
    chosen = made(n_heads=1, n_neurons=2, every_head=n - 1)[2]
    assert tuple(each for each in found.effects if each.chosen != OTHER) == chosen.effects
    assert found.together == chosen.together
    assert agreement(found.effects, HEAD) == agreement(chosen.effects, HEAD)
    base = replaced(tracked, units, baseline, [])
    for k in range(4):
        heads = [each for each in found.effects if each.position == k and each.component.kind == HEAD]
        assert {each.component for each in heads} == {one for one in every_component(units) if one.kind == HEAD}
        assert len(heads) == n
        for each in heads:
            loss = base[k] - replaced(tracked, units, baseline, [each.component])[k]
            assert each.measured == pytest.approx(loss, rel=1e-5, abs=1e-8)


def test_of_a_linear_way_measured_is_predicted():
    """The last block's neurons reach the logits through the last norm alone; a small change is a first-order one."""
    tracked = track(tiny.tiny_model("gpt2"))
    _, units, stream = opened("gpt2")
    reading = read(tracked, units, stream, IDS, FIRST, graph=True)
    near = zero(tracked, units)
    near.neurons[1] = reading.active[1].detach().reshape(-1, units.n_neurons)[-1]
    near.neurons[1, 3] += 1e-5
    one = Component(NEURON, 1, 3)
    change = logp_without(tracked, units, IDS, len(IDS) - 1, near, [(), (one,)])
    of = total(tracked, units, read(tracked, units, stream, IDS, len(IDS) - 1, graph=True), near)
    difference = float((reading.active[1].detach().reshape(-1, units.n_neurons)[:, 3] - near.neurons[1, 3])[-1])
    assert difference == pytest.approx(-1e-5)
    assert float(change[0, 0] - change[1, 0]) == pytest.approx(float(of.neurons[0, 1, 3]), rel=1e-3)


def test_agreement_is_a_rank_correlation_of_one_kind():
    effects = made("gpt2")[2].effects
    assert -1 <= agreement(effects, HEAD) <= 1
    assert np.isnan(agreement([], NEURON))
    same = [each for each in effects if each.component.kind == NEURON]
    order = np.corrcoef(
        *(np.argsort(np.argsort([getattr(each, name) for each in same])) for name in ("predicted", "measured"))
    )[0, 1]
    assert agreement(effects, NEURON) == pytest.approx(order)


@pytest.mark.parametrize("one", [("head", 0, 2), ("neuron", 2, 0), ("kv_head", 0, 0), ("head", -1, 0)])
def test_a_component_that_the_model_does_not_have_is_refused(one):
    tracked, units, _ = opened("llama")
    with pytest.raises(BadInput, match=r"expected head:0\.0 to head:1\.1 or .*, found"):
        logp_without(tracked, units, IDS, FIRST, some_baseline(units), [(Component(*one),)])


@pytest.mark.parametrize("first", [0, len(IDS)])
def test_a_text_without_a_token_to_explain_is_refused(first):
    tracked, units, stream = opened("llama")
    with pytest.raises(BadInput, match="expected tokens to explain after at least one other"):
        read(tracked, units, stream, IDS, first)

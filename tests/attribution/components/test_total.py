"""Total effects against the derivative by a factor of the component's difference from its baseline."""

import numpy as np
import pytest
import torch

from attribution.components.baseline import zero
from attribution.components.reading import read
from attribution.components.total import total
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.components.opened import FIRST, IDS, KINDS, answer_logits, opened, some_baseline


def by_factors(tracked, units, baseline):
    """d log p / dα of x̄ + α (x − x̄) at α = 1, one α for each component and each token of the answer at a time."""
    model, factors, hooks = tracked.loaded.model, [], []

    def scaling(mean, factor, width):
        def scale(_module, args):
            return (mean + factor.repeat_interleave(width) * (args[0] - mean),)

        return scale

    for into, means, n, width in (
        (units.heads_into, baseline.heads, units.n_heads, units.head_width),
        (units.neurons_into, baseline.neurons, units.n_neurons, 1),
    ):
        for name, mean in zip(into, means, strict=True):
            factors.append(torch.ones(n, dtype=torch.float64, requires_grad=True))
            hook = scaling(mean, factors[-1], width)
            hooks.append(model.get_submodule(name).register_forward_pre_hook(hook))
    try:
        logp = answer_logits(tracked).log_softmax(-1)[range(len(IDS) - FIRST), IDS[FIRST:]]
        found = [torch.autograd.grad(each, factors, retain_graph=True) for each in logp]
    finally:
        for hook in hooks:
            hook.remove()
    L = units.n_blocks
    return (
        np.stack([torch.stack(each[:L]).numpy() for each in found]),
        np.stack([torch.stack(each[L:]).numpy() for each in found]),
        logp.detach().numpy(),
    )


@pytest.mark.parametrize("kind", [*KINDS, "OPT", "Falcon", "Phi 3", "OLMo 2"])
@pytest.mark.parametrize("of_nothing", [False, True], ids=["mean", "zero"])
def test_total_is_the_derivative_by_a_factor(kind, of_nothing, plain):
    tracked = track(tiny.tiny_model(kind)) if kind in KINDS else opened(kind)[0]
    _, units, stream = opened(kind)
    baseline = zero(tracked, units) if of_nothing else some_baseline(units)
    found = total(tracked, units, read(tracked, units, stream, IDS, FIRST, graph=True), baseline)
    heads, neurons, logp = by_factors(tracked, units, baseline)
    np.testing.assert_allclose(found.heads, heads, rtol=1e-5, atol=1e-6 * np.abs(heads).max())
    np.testing.assert_allclose(found.neurons, neurons, rtol=1e-5, atol=1e-6 * np.abs(neurons).max())
    np.testing.assert_allclose(found.logp, logp, rtol=1e-6)


def test_neither_memory_nor_what_follows_changes_a_token():
    tracked, units, stream = opened("llama")
    baseline = some_baseline(units)
    whole = total(tracked, units, read(tracked, units, stream, IDS, FIRST, graph=True), baseline)
    small = tiny.scheduled(tracked, memory=1)
    one_by_one = total(small, units, read(small, units, stream, IDS, FIRST, graph=True), baseline)
    less = total(tracked, units, read(tracked, units, stream, IDS[:-1], FIRST, graph=True), baseline)
    for name in ("heads", "neurons", "logp"):
        np.testing.assert_allclose(getattr(one_by_one, name), getattr(whole, name), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(getattr(less, name), getattr(whole, name)[:-1], rtol=1e-6, atol=1e-9)


def test_weights_without_gradients_have_total_effects_all_the_same():
    tracked = track(tiny.tiny_model("gpt2"))
    _, units, stream = opened("gpt2")
    want = total(tracked, units, read(tracked, units, stream, IDS, FIRST, graph=True), zero(tracked, units))
    tracked.loaded.model.requires_grad_(False)
    found = total(tracked, units, read(tracked, units, stream, IDS, FIRST, graph=True), zero(tracked, units))
    np.testing.assert_allclose(found.heads, want.heads, rtol=1e-9)

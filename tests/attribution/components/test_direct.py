"""Direct contributions against autograd on a model in which every other way is cut."""

from contextlib import ExitStack

import numpy as np
import pytest
import torch
from torch import nn

from attribution.components.direct import direct
from attribution.components.reading import read
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.architectures import DECODERS
from tests.attribution.components.opened import FIRST, IDS, KINDS, answer_logits, opened

SPLIT = [name for name in DECODERS if "MoE" not in name and name not in ("Mixtral", "Mamba")]
SPLIT.remove("OPT with a projected embedding")
FOILS = [1, 0, 6, 2]


def frozen(module: nn.Module, args, _output):
    """A norm written out, its scale a constant."""
    [x] = args
    if isinstance(module, nn.LayerNorm):
        centred = x - x.mean(-1, keepdim=True)
        scale = (x.var(-1, unbiased=False, keepdim=True) + module.eps).rsqrt().detach()
        return centred * scale * module.weight + module.bias
    eps = module.eps if hasattr(module, "eps") else module.variance_epsilon
    gain = 1 + module.weight if "Gemma" in type(module).__name__ else module.weight
    return x * (x.square().mean(-1, keepdim=True) + eps).rsqrt().detach() * gain


def cut_logits(tracked, units, stream, multiply):
    """Raw logits at the last position, everything but the stream's own sum detached.

    multiply: name of a module that writes into the stream -> factors of what it reads, the embedding's under "".
    """
    model = tracked.loaded.model
    into = (*units.heads_into, *units.neurons_into)
    with ExitStack() as stack:

        def hook(handle):
            stack.callback(handle.remove)

        for layer in tracked.linear:
            module = model.get_submodule(layer.name)
            factor = multiply[layer.name] if layer.name in into else 1
            hook(module.register_forward_pre_hook(lambda _, args, factor=factor: (args[0].detach() * factor,)))
        for name in stream.norms:
            hook(model.get_submodule(name).register_forward_hook(frozen))

        def enter(_module, args, kwargs):
            given = args[0] if args else kwargs.pop("hidden_states")
            return (given.detach() * multiply[""], *args[1:]), kwargs

        hook(model.get_submodule(stream.blocks[0]).register_forward_pre_hook(enter, with_kwargs=True))
        hidden = model.base_model(input_ids=torch.tensor([IDS[:-1]]), use_cache=False).last_hidden_state[0]
        return tracked.raw_logits(hidden)[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_contribution_is_the_derivative_by_the_component_where_all_other_ways_are_cut(kind):
    tracked, units, stream = opened(kind)
    found = direct(tracked, units, stream, read(tracked, units, stream, IDS, FIRST), FOILS)
    ones = {name: torch.ones(units.n_heads * units.head_width).double() for name in units.heads_into}
    ones |= {name: torch.ones(units.n_neurons).double() for name in units.neurons_into}
    ones[""] = torch.ones(()).double()
    multiply = {name: each.requires_grad_() for name, each in ones.items()}
    logits = cut_logits(tracked, units, stream, multiply)
    by_factor = torch.autograd.grad(logits[IDS[-1]] - logits[FOILS[-1]], list(multiply.values()))
    of = {name: each.numpy() for name, each in zip(multiply, by_factor, strict=True)}
    for depth, (heads, neurons) in enumerate(zip(units.heads_into, units.neurons_into, strict=True)):
        by_head = of[heads].reshape(units.n_heads, units.head_width).sum(1)
        np.testing.assert_allclose(found.heads[-1, depth], by_head, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.neurons[-1, depth], of[neurons], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.embedding[-1], of[""], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", [*KINDS, *SPLIT])
def test_all_contributions_add_up_to_the_logit(name):
    tracked, units, stream = opened(name)
    with torch.no_grad():
        logits = answer_logits(tracked)
    if tracked.softcap is not None:  # it is the logit before the cap
        logits = tracked.softcap * torch.atanh(logits / tracked.softcap)
    reading = read(tracked, units, stream, IDS, FIRST)
    own = logits[range(4), IDS[FIRST:]].numpy()
    found = direct(tracked, units, stream, reading)
    size = np.abs(found.heads).sum((1, 2)) + np.abs(found.neurons).sum((1, 2)) + np.abs(found.embedding)
    assert (np.abs(found.logit - own) < 1e-5 * size).all()
    against = direct(tracked, units, stream, reading, FOILS)
    assert (np.abs(against.logit - (own - logits[range(4), FOILS].numpy())) < 1e-5 * size).all()


def test_a_token_is_its_own_foil_by_nothing():
    tracked, units, stream = opened("gpt2")
    found = direct(tracked, units, stream, read(tracked, units, stream, IDS, FIRST), IDS[FIRST:])
    assert not found.heads.any() and not found.neurons.any() and not found.logit.any()


def test_what_follows_a_token_changes_nothing_of_it():
    tracked, units, stream = opened("qwen2")
    whole = direct(tracked, units, stream, read(tracked, units, stream, IDS, FIRST))
    less = direct(tracked, units, stream, read(tracked, units, stream, IDS[:-2], FIRST))
    np.testing.assert_allclose(less.heads, whole.heads[:2], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(less.neurons, whole.neurons[:2], rtol=1e-6, atol=1e-9)


def test_a_head_with_a_bias_of_its_own_has_it_among_the_biases():
    loaded = tiny.tiny_model("llama-untied")
    loaded.model.lm_head.bias = nn.Parameter(torch.arange(float(tiny.V)).double())
    tracked = track(loaded)
    _, units, stream = opened("llama-untied")
    with_bias = direct(tracked, units, stream, read(tracked, units, stream, IDS, FIRST))
    without = direct(*opened("llama-untied"), read(*opened("llama-untied"), IDS, FIRST))
    np.testing.assert_allclose(with_bias.bias - without.bias, IDS[FIRST:], rtol=1e-9)
    np.testing.assert_array_equal(with_bias.heads, without.heads)

"""How the residual stream of every architecture is found, and what is refused."""

import pytest
import torch
from torch import nn

from attribution.components.stream import NotSplit, find_stream, frozen_norm, last_norm
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.architectures import opened_model
from tests.attribution.components.opened import KINDS, opened


@pytest.mark.parametrize("kind", KINDS)
def test_norms_behind_attention_and_mlp_are_found_where_there_are_some(kind):
    _, units, stream = opened(kind)
    behind = kind in ("gemma2", "gemma3")
    assert [name is not None for name in (*stream.after_heads, *stream.after_neurons)] == [behind] * 4
    assert stream.multiplier == 1
    assert len(stream.blocks) == units.n_blocks


def test_the_multiplier_of_the_residual_is_the_configurations():
    assert opened("Granite")[2].multiplier == 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_norm_makes_what_the_norm_made(kind):
    tracked, _, stream = opened(kind)
    x = torch.randn(3, tiny.H, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for name, norm in stream.norms.items():
        assert norm.centred == (kind in ("gpt2", "gpt-neox"))
        made = tracked.loaded.model.get_submodule(name)(x).detach()
        scale = norm.scale(x, made)
        torch.testing.assert_close(scale[:, None] * norm.unscaled(x) + norm.bias, made, rtol=1e-6, atol=1e-6)
        d = torch.arange(float(tiny.H)).double()
        torch.testing.assert_close((norm.pulled(d, scale) * x).sum(-1), (made - norm.bias) @ d, rtol=1e-6, atol=1e-6)


def test_a_norm_of_odd_width_is_read_off_as_well():
    tracked, _, _ = opened("gpt2")
    module = nn.LayerNorm(7).double()
    nn.init.normal_(module.weight)
    holder = nn.Module()
    holder.odd = module

    class Odd:
        width, device = 7, torch.device("cpu")
        widened = staticmethod(lambda x: x)

        class loaded:  # noqa: N801
            model = holder

    holder.dtype = torch.float64
    found = frozen_norm(Odd, "odd")  # type: ignore[arg-type]
    torch.testing.assert_close(found.gain / found.gain[0], module.weight.detach() / module.weight.detach()[0])
    assert found.centred


def test_a_model_that_cannot_be_split_says_the_same_here():
    tracked = track(opened_model("Mixtral"))
    assert find_stream(tracked, NotSplit("experts")) == NotSplit("experts")
    assert last_norm(tracked) == "model.norm"


def test_a_stream_that_is_no_sum_is_refused():
    tracked, units, _ = opened("llama")
    block = tracked.loaded.model.model.layers[1]
    handle = block.register_forward_hook(lambda _module, _args, out: out * 1.5)
    try:
        found = find_stream(tracked, units)
    finally:
        handle.remove()
    assert found == NotSplit("its residual stream is not the sum of what attention and MLP write")


def test_what_is_no_norm_before_the_head_is_refused():
    tracked = track(opened_model("OPT with a projected embedding"))
    assert last_norm(tracked) is None
    found = find_stream(tracked, opened("llama")[1])
    assert found == NotSplit("between its last block and its head stands something else than a norm")

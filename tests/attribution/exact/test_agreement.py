"""A model that this engine would explain wrongly is refused, with what of it can be explained."""

import pytest
import torch

from attribution.errors import BadInput
from attribution.exact.agreement import check_agreement, pattern
from attribution.model.tracked import track
from tests.attribution import tiny

UP = "model.layers.1.mlp.up_proj"


def refused(tracked) -> str:
    with pytest.raises(BadInput) as caught:
        check_agreement(tracked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_layer_whose_weight_is_read_past_it_is_named_with_those_that_are_not():
    tracked = track(tiny.tiny_model())
    module = tracked.loaded.model.get_submodule(UP)
    module.register_forward_hook(lambda module, args, output: output + 0.5 * args[0] @ module.weight.T)
    said = refused(tracked)
    assert f"found {UP} without" in said
    assert "'model.layers.*.self_attn.q_proj', 'model.layers.*.self_attn.k_proj'" in said
    assert "'model.layers.*.mlp.up_proj'" not in said
    check_agreement(track(tracked.loaded, layers=["*.self_attn.*"]))


def test_a_layer_that_runs_twice_is_refused():
    tracked = track(tiny.tiny_model())
    layers = tracked.loaded.model.model.layers
    layers[1].mlp = layers[0].mlp
    assert "model.layers.0.mlp.down_proj without" in refused(track(tracked.loaded))


def test_an_embedding_that_is_changed_after_the_lookup_is_refused():
    tracked = track(tiny.tiny_model("gpt-neox"))
    tracked.embedding_module.register_forward_hook(lambda _module, _args, output: 3 * output)
    assert "gpt_neox.embed_in without; set [factors] embedding = false" in refused(tracked)


def test_a_forward_derivative_that_is_another_is_refused():
    class Halved(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, gradient):
            return gradient

        @staticmethod
        def jvp(ctx, tangent):
            return 0.5 * tangent

    tracked = track(tiny.tiny_model())
    norm = tracked.loaded.model.model.norm
    norm.register_forward_hook(lambda _module, _args, output: Halved.apply(output))
    assert "a forward derivative of LlamaForCausalLM that agrees with its gradient" in refused(tracked)
    check_agreement(tracked, forward_mode=False)


def test_random_numbers_of_others_stay_as_they_were():
    tracked = track(tiny.tiny_model())
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    check_agreement(tracked)
    assert torch.equal(torch.rand(3), expected)


def test_a_pattern_stands_for_all_blocks():
    assert pattern("model.layers.11.mlp.up_proj") == "model.layers.*.mlp.up_proj"
    assert pattern("h.0.1.c") == "h.*.*.c"

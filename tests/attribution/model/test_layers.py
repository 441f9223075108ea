import pytest

from attribution.errors import BadInput
from attribution.model.layers import choose_layers
from attribution.model.tracked import track
from tests.attribution import tiny


@pytest.mark.parametrize(("kind", "n", "kinds"), [("llama", 14, 8), ("gpt2", 8, 4), ("gpt-neox", 8, 4)])
def test_all_linear_layers_but_the_head(kind, n, kinds):
    layers = choose_layers(tiny.tiny_model(kind).model)
    assert len(layers) == n
    assert sum(layer.kind == "attention" for layer in layers) == kinds
    assert {layer.depth for layer in layers} == {0, 1}
    assert [layer.index for layer in layers] == list(range(n))
    assert not any("head" in layer.name for layer in layers)


def test_patterns_choose():
    layers = choose_layers(tiny.tiny_model().model, ["*.mlp.*", "model.layers.0.self_attn.q_proj"])
    assert len(layers) == 7
    assert layers[0].name == "model.layers.0.self_attn.q_proj"


def test_a_bias_is_one_more_input():
    (layer,) = choose_layers(tiny.tiny_model("gpt2").model, ["*.h.0.mlp.c_fc"])
    assert (layer.n_out, layer.n_in, layer.bias) == (4 * tiny.H, tiny.H + 1, True)


def test_a_name_that_fits_nothing_gets_the_nearest():
    with pytest.raises(BadInput, match=r"model\.layers\.1\.self_attn\.q_proj"):
        choose_layers(tiny.tiny_model().model, ["model.layers.1.attn.q_proj"])


def test_the_embedding_is_last_and_can_be_left_out():
    loaded = tiny.tiny_model()
    assert track(loaded).layers[-1].kind == "embedding"
    assert len(track(loaded, embedding=False).layers) == 14
    assert [layer.name for layer in track(tiny.tiny_model("gpt-neox")).embedding] == ["gpt_neox.embed_in", "lm_head"]


def test_logits_that_are_not_the_head_are_refused():
    loaded = tiny.tiny_model()
    loaded.model.register_forward_hook(lambda module, args, output: output.__setitem__("logits", 2 * output.logits))
    with pytest.raises(BadInput, match="expected logits that are the head"):
        track(loaded)

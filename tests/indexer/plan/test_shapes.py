"""Shapes are those of the model: counted from its layers, and from what a configuration says of one."""

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from attribution.index.compress import budget
from attribution.loading.load import LoadedModel
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked, track
from indexer.plan.shapes import Shape, gated, grouped, shapes_of
from tests.attribution.tiny import tiny_model

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
SIZES |= {"num_key_value_heads": 2, "vocab_size": 70}


def opened(config) -> Tracked:
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    return track(LoadedModel(model, None, "", "", torch.device("cpu")))


def test_layers_of_one_size_are_one_shape_and_shared_inputs_are_counted_once():
    layers = [
        Layer(0, "q", "attention", 0, 8, 8, 0),
        Layer(1, "k", "attention", 0, 4, 8, 0),
        Layer(2, "v", "attention", 0, 4, 8, 0),
        Layer(3, "o", "attention", 0, 8, 8, 3),
    ]
    assert grouped(layers) == (Shape(8, 8, n=2, n_read=2), Shape(4, 8, n=2, n_read=0))


def test_shapes_of_a_model_are_its_parameters():
    tracked = track(tiny_model("llama"))
    of = shapes_of(tracked)
    assert of.entries == tracked.n_linear
    assert of.n_layers == len(tracked.linear)
    assert of.looked_up == sum(each.n_out * each.n_in for each in tracked.embedding)
    assert of.n_params == sum(each.numel() for each in tracked.loaded.model.parameters())
    assert of.factor_numbers == of.looked_up + sum(
        each.n_in**2 + each.n_out**2 + each.n_in * each.n_out for each in tracked.linear
    )
    assert of.numbers_of_token == (
        sum(each.n_in for each in tracked.linear if not each.reads_on),
        sum(each.n_out for each in tracked.linear),
    )
    assert of.index_bytes(2.5) == budget(tracked, 2.5)


def test_a_model_that_only_its_configuration_describes_has_the_shapes_of_the_open_one():
    said = {"hidden": 32, "mlp": 48, "layers": 3, "heads": 4, "kv_heads": 2, "vocabulary": 70}
    tied = opened(LlamaConfig(**SIZES, tie_word_embeddings=True))
    assert ordered(gated(**said, tied=True)) == ordered(shapes_of(tied))
    biased = opened(Qwen2Config(**SIZES, tie_word_embeddings=False))
    found, expected = ordered(gated(**said, tied=False, bias=True)), ordered(shapes_of(biased))
    assert found == expected


def ordered(of):
    return sorted(of.linear, key=repr), of.embedding, of.n_params, of.vocabulary, of.width

"""Layers that read the same input are told by running the model; here also by comparing the numbers that they read."""

import re

import pytest
import torch

from attribution.model.layers import Layer
from attribution.model.reads import Read, reading
from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from tests.attribution import tiny

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))


def last(name: str) -> str:
    return name.rpartition(".")[2]


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_query_key_and_value_read_the_same_and_so_do_gate_and_up(kind):
    layers = track(tiny.tiny_model(kind)).linear
    for layer in layers:
        first = layers[layer.reads]
        together = next((of for of in TOGETHER if last(layer.name) in of), (last(layer.name),))
        assert last(first.name) == together[0]
        assert re.sub(r"[^.]*$", "", first.name) == re.sub(r"[^.]*$", "", layer.name)  # of one module
        assert layer.reads_on == (layer is not first)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_in_a_pass_over_documents_they_read_the_same_numbers_and_others_do_not(kind):
    tracked = track(tiny.tiny_model(kind))
    documents = tiny.tiny_documents()
    batch = pad(documents, range(len(documents)))
    read: list[torch.Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _module, args: read.append(args[0].detach().clone()))
        for module in tracked.modules()
    ]
    captured = capture(tracked, batch)
    for hook in hooks:
        hook.remove()
    assert len(read) == len(tracked.linear)
    for layer, before in zip(tracked.linear[1:], tracked.linear[:-1], strict=True):
        one, two = read[before.index], read[layer.index]
        assert layer.reads_on == (one.shape == two.shape and torch.equal(one, two)), layer.name
    for layer, a, given in zip(tracked.linear, captured.inputs, read, strict=True):
        assert torch.equal(a[..., : given.shape[-1]], given)
        assert a.shape[-1] == layer.n_in


def test_only_chosen_neighbours_share():
    tracked = track(tiny.tiny_model(), ["*.0.self_attn.[qv]_proj", "*.1.self_attn.k_proj", "*.mlp.up_proj"])
    reads = {layer.name.removeprefix("model.layers."): layer.reads for layer in tracked.linear}
    assert reads == {
        "0.self_attn.q_proj": 0,
        "0.self_attn.v_proj": 0,
        "0.mlp.up_proj": 2,
        "1.self_attn.k_proj": 3,
        "1.mlp.up_proj": 4,
    }


def test_what_is_captured_counts_a_shared_input_once():
    tracked = track(tiny.tiny_model())
    captured = capture(tracked, pad(tiny.tiny_documents(), range(5)))
    held = {id(a): a.numel() for a in captured.inputs}
    assert len(held) == 2 * 4  # of seven layers a block
    others = (*captured.deltas, captured.hidden, captured.logit_deltas, captured.embedded_deltas)
    assert captured.nbytes(tracked) == 8 * (sum(held.values()) + sum(of.numel() for of in others))


def layer(n: int, bias: bool = False) -> Layer:
    return Layer(n, f"m{n}", "mlp", 0, 2, 3 + bias, n, bias)


def reads(*given: Read, bias: tuple[bool, ...] = (False, False)) -> list[int]:
    return [each.reads for each in reading([layer(n, of) for n, of in enumerate(bias)], given)]


def test_the_same_tensor_is_the_same_input_unless_it_was_written_between():
    x = torch.zeros(1, 2, 3)
    before = Read(x, x._version)
    assert reads(before, Read(x, x._version)) == [0, 0]
    assert reads(before, Read(x.view(1, 2, 3), x._version)) == [0, 0]
    assert reads(before, Read(x.clone(), 0)) == [0, 1]
    assert reads(before, Read(x[:, :1], x._version)) == [0, 1]  # begins at the same place
    x += 1
    assert reads(before, Read(x, x._version)) == [0, 1]


def test_a_bias_is_an_input_more():
    x = torch.zeros(1, 2, 3)
    same = Read(x, x._version)
    assert reads(same, same, bias=(True, False)) == [0, 1]
    assert reads(same, same, same, bias=(True, True, False)) == [0, 0, 2]

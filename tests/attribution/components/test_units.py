from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.components.layouts import LAYOUTS
from attribution.components.units import NotSplit, Units, units
from attribution.loading.beside import Trained
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.architectures import DECODERS, opened_model

WHOLE = {
    "Qwen 2 MoE": "experts",
    "Qwen 3 MoE": "experts",
    "Mixtral": "experts",
    "OPT with a projected embedding": "project_out is no known part",
    "Mamba": "in_proj is no known part",
}
SPLIT = [name for name in DECODERS if name not in WHOLE]
NORMED_TOGETHER = {"OLMo 2"}  # its queries pass one norm for all heads: each head reads the rows of all a little


def reached(tracked, into: str, columns: slice) -> dict[str, np.ndarray]:
    """Rows of every layer whose output moves some numbers of what a module reads  # [n_out] bool"""
    by_name = dict(tracked.loaded.model.named_modules())
    made, read = {}, []
    hooks = [by_name[into].register_forward_pre_hook(lambda _, args: read.append(args[0]))]
    for layer in tracked.linear:
        keep = lambda _, args, out, name=layer.name: made.__setitem__(name, out)  # noqa: E731
        hooks.append(by_name[layer.name].register_forward_hook(keep))
    tracked.loaded.model(input_ids=torch.tensor([[5, 3, 8, 2, 9, 4]]))
    for hook in hooks:
        hook.remove()
    some = read[0].reshape(6, -1)[:, columns].sum()
    found = torch.autograd.grad(some, list(made.values()), retain_graph=True, allow_unused=True)
    return {
        name: (of != 0).reshape(-1, of.shape[-1]).any(dim=0).numpy()
        for name, of in zip(made, found, strict=True)
        if of is not None
    }


@pytest.mark.parametrize("name", SPLIT)
def test_a_head_and_a_neuron_own_the_rows_that_reach_them_and_no_others(name):
    tracked = track(opened_model(name))
    found = units(tracked)
    assert isinstance(found, Units)
    by_name = {layer.name: own for layer, own in zip(tracked.linear, found.owners, strict=True)}
    depth = 1
    block = {layer.name: layer for layer in tracked.linear if layer.depth == depth}
    o, down = found.heads_into[depth], found.neurons_into[depth]
    parts = {o: (found.n_heads, found.head_width), down: (found.n_neurons, 1)}
    for into, (n, width) in parts.items():
        hit = np.zeros(n, dtype=bool)
        for i in range(n):
            place = slice(i * width, (i + 1) * width)
            if into == o:
                first = found.kv_heads.start + depth * found.n_kv_heads
                own = {depth * found.n_heads + i, first + found.kv_head_of(i)}
            else:
                own = {found.neurons.start + depth * found.n_neurons + i}
            columns = by_name[into]
            assert not columns.by_rows
            assert set(columns.of[place]) == own & set(range(found.n)) - set(range(*found.kv_heads.indices(found.n)))
            rows = {key: of for key, of in reached(tracked, into, place).items() if key in block}
            mlp = {"gate_proj", "up_proj", "gate_up_proj", "c_fc", "fc1", "fc_in", "dense_h_to_4h"}
            for key, of in rows.items():
                if (key.rpartition(".")[2] in mlp) != (into == down):
                    continue  # attention, on the way to an MLP
                mine = np.isin(by_name[key].of, list(own))
                assert by_name[key].by_rows
                if into == down or name not in NORMED_TOGETHER:
                    assert not (of & ~mine).any(), key
                hit[i] |= (of & mine).any()
        assert hit.mean() > 0.5  # a neuron may be silent at every token


@pytest.mark.parametrize("name", SPLIT)
def test_every_number_of_a_layer_has_one_owner_and_a_bias_of_a_column_layer_is_the_layers(name):
    tracked = track(opened_model(name))
    found = units(tracked)
    seen = np.zeros(found.n, dtype=np.int64)
    for layer, own in zip(tracked.linear, found.owners, strict=True):
        assert len(own.of) == (layer.n_out if own.by_rows else layer.n_in)
        if not own.by_rows:
            assert layer.bias == (own.of[-1] == found.bias)
        seen += np.bincount(own.of, minlength=found.n)
    assert (seen[: found.bias] > 0).all()
    assert len(set(seen[found.heads])) == len(set(seen[found.neurons])) == len(set(seen[found.kv_heads])) == 1


def test_sizes_of_grouped_queries_and_of_a_model_without_gate():
    llama, gpt2 = units(track(opened_model("Llama"))), units(track(opened_model("GPT-2")))
    assert (llama.n_blocks, llama.n_heads, llama.n_kv_heads, llama.head_width, llama.n_neurons) == (2, 2, 1, 8, 24)
    assert (gpt2.n_blocks, gpt2.n_heads, gpt2.n_kv_heads, gpt2.head_width, gpt2.n_neurons) == (2, 2, 2, 8, 64)
    assert llama.gated and not gpt2.gated
    assert [llama.kv_head_of(h) for h in range(2)] == [0, 0]
    assert [gpt2.kv_head_of(h) for h in range(2)] == [0, 1]
    assert (llama.heads, llama.kv_heads, llama.neurons, llama.bias, llama.n) == (
        *(slice(0, 4), slice(4, 6), slice(6, 54)),
        *(54, 55),
    )


@pytest.mark.parametrize(("name", "reason"), WHOLE.items())
def test_a_model_that_cannot_be_split_says_why_in_one_line(name, reason):
    found = units(track(opened_model(name)))
    assert isinstance(found, NotSplit)
    assert reason in found.reason and "\n" not in found.reason


def test_some_layers_alone_and_an_adapter_alone_are_not_split():
    found = units(track(tiny.tiny_model(), ("*mlp*",)))
    assert found == NotSplit("not all layers of block 0 are explained, only down, gate, up")
    loaded = replace(tiny.tiny_model(), trained=Trained(frozenset(), frozenset()))
    tracked = replace(track(tiny.tiny_model()), loaded=loaded)
    assert "adapter" in units(tracked).reason


@pytest.mark.parametrize(("name", "own"), [("GPT-NeoX", "by group"), ("GPT-2", "one after the other")])
def test_an_unknown_fused_layout_is_not_guessed(monkeypatch, name, own):
    tracked = track(opened_model(name))
    monkeypatch.delitem(LAYOUTS, own)
    found = units(tracked)
    assert isinstance(found, NotSplit)
    assert found.reason.startswith("how heads lie in ") and found.reason.endswith(" is not known")


def test_gates_and_ups_in_another_order_are_not_guessed():
    tracked = track(opened_model("Phi 3"))
    model = tracked.loaded.model
    assert isinstance(units(tracked), Units)
    for layer in model.model.layers:  # what leaves it is put in order where it is read, as in another architecture
        layer.mlp.activation_fn.register_forward_hook(lambda _, args, gate: gate.flip(-1))
    assert units(tracked) == NotSplit("how neurons lie in model.layers.*.mlp.gate_up_proj is not known")


def test_heads_that_lie_by_group_with_several_groups():
    """Falcon of the second kind: of every key–value head two queries, a key and a value."""
    grouped = {"num_attention_heads": 4, "num_kv_heads": 2, "new_decoder_architecture": True, "multi_query": False}
    tracked = track(opened_model("Falcon", **grouped))
    found = units(tracked)
    assert (found.n_heads, found.n_kv_heads, found.head_width) == (4, 2, 4)
    first = [(own.of[::4] - found.kv_heads.start).tolist() for own in found.owners if own.by_rows][0]
    heads = [-found.kv_heads.start + h for h in range(4)]
    assert first == [heads[0], heads[1], 0, 0, heads[2], heads[3], 1, 1]

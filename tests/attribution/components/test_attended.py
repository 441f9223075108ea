"""Attention weights against what heads wrote, and against the model read in one piece."""

import numpy as np
import pytest
import torch

from attribution.components.attended import attended
from attribution.components.units import NotSplit
from attribution.errors import BadInput
from attribution.loading.attention import plain_attention
from attribution.model.tracked import track
from tests.attribution import tiny
from tests.attribution.architectures import DECODERS, opened_model
from tests.attribution.components.opened import FIRST, IDS, opened

LONG = (5, 3, 8, 2, 9, 4, 1, 7, 2, 2, 6, 3, 9, 1)  # longer than the window of those that have one


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma"])
def test_a_head_wrote_the_values_by_its_weights(kind):
    tracked, units, _ = opened(kind)
    found, seen = attended(tracked, IDS, FIRST), {}
    model = tracked.loaded.model
    hooks = []
    for depth, name in enumerate(units.heads_into):
        values = model.get_submodule(name.replace("o_proj", "v_proj"))
        hooks.append(values.register_forward_hook(lambda _m, _a, out, d=depth: seen.__setitem__(("v", d), out[0])))
        o = model.get_submodule(name)
        hooks.append(o.register_forward_pre_hook(lambda _m, args, d=depth: seen.__setitem__(("z", d), args[0][0])))
    with torch.no_grad():
        model(input_ids=torch.tensor([IDS[:-1]]), use_cache=False)
    for hook in hooks:
        hook.remove()
    for depth in range(units.n_blocks):
        values, wrote = seen["v", depth].numpy(), seen["z", depth].numpy()
        for head in range(units.n_heads):
            mine = slice(head * units.head_width, (head + 1) * units.head_width)
            kv = units.kv_head_of(head)
            read = values[:, kv * units.head_width : (kv + 1) * units.head_width]
            np.testing.assert_allclose(found[:, depth, head] @ read, wrote[FIRST - 1 :, mine], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*tiny.CONFIGS, *(each for each in DECODERS if each != "Mamba")])
@pytest.mark.parametrize("first", [1, 9])
def test_weights_are_those_of_the_model_read_in_one_piece(name, first):
    tracked = track(tiny.tiny_model(name) if name in tiny.CONFIGS else opened_model(name))
    found = attended(tracked, LONG, first)
    with plain_attention(tracked.loaded.model), torch.no_grad():
        ids = torch.tensor([LONG[:-1]])
        whole = tracked.loaded.model(input_ids=ids, output_attentions=True, use_cache=False).attentions
    want = torch.stack([each[0] for each in whole])[:, :, first - 1 :].permute(2, 0, 1, 3)  # [K, L, heads, S]
    np.testing.assert_allclose(found, want.numpy(), atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)
    for k, each in enumerate(found):
        assert not each[..., first + k :].any()


def test_a_model_without_attention_says_so():
    assert isinstance(attended(track(opened_model("Mamba")), LONG, 9), NotSplit)


def test_a_text_without_a_token_to_explain_is_refused():
    with pytest.raises(BadInput, match="expected tokens to explain"):
        attended(opened("llama")[0], LONG, 0)

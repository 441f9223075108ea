"""An adapter merged by hand against its definition, and against PEFT where it is installed."""

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from attribution.errors import BadInput
from attribution.loading.load import load_model
from tests.attribution.loading.peft_adapter import saved, trained_adapter

R, ALPHA = 3, 6.0
Q = "model.layers.0.self_attn.q_proj"
SETTINGS = {"peft_type": "LORA", "lora_alpha": ALPHA, "r": R}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    return saved("Llama", folder)


def adapter(folder, tensors, **settings):
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(SETTINGS | settings))
    return folder


def matrices(n_out, n_in, prefix="base_model.model.", name=Q, infix=""):
    A, B = torch.randn(R, n_in), torch.randn(n_out, R)
    return A, B, {f"{prefix}{name}.lora_{infix}A.weight": A, f"{prefix}{name}.lora_{infix}B.weight": B}


def weight(loaded, name=Q):
    return dict(loaded.model.named_parameters())[f"{name}.weight"]


@pytest.mark.parametrize("stabilised", [False, True])
def test_input_19_an_adapter_is_merged_onto_its_base(base, tmp_path, stabilised):
    A, B, tensors = matrices(16, 16)
    folder = adapter(tmp_path / "a", tensors, base_model_name_or_path=str(base), use_rslora=stabilised)
    before, merged = load_model(str(base), "cpu"), load_model(str(folder), "cpu")
    s = ALPHA / (math.sqrt(R) if stabilised else R)
    torch.testing.assert_close(weight(merged), weight(before) + s * B @ A)
    others = [
        n
        for n, p in merged.model.named_parameters()
        if n != f"{Q}.weight" and not torch.equal(p, dict(before.model.named_parameters())[n])
    ]
    assert others == []
    assert merged.weights_hash != before.weights_hash
    assert merged.tokenizer_hash == before.tokenizer_hash


def test_input_19_the_base_named_in_the_configuration_counts_for_more(base, tmp_path):
    A, B, tensors = matrices(16, 16)
    folder = adapter(tmp_path / "a", tensors, base_model_name_or_path="owner/not-here")
    merged = load_model(str(folder), "cpu", base=str(base))
    torch.testing.assert_close(weight(merged), weight(load_model(str(base), "cpu")) + ALPHA / R * B @ A)


def test_input_19_gpt2_stores_its_weights_the_other_way(tmp_path):
    gpt2, name = saved("GPT-2", tmp_path / "base"), "transformer.h.0.attn.c_attn"
    A, B, tensors = matrices(48, 16, name=name)
    folder = adapter(tmp_path / "a", tensors, base_model_name_or_path=str(gpt2), fan_in_fan_out=True)
    before = weight(load_model(str(gpt2), "cpu"), name)
    torch.testing.assert_close(weight(load_model(str(folder), "cpu"), name), before + ALPHA / R * (B @ A).T)


def test_input_19_a_base_that_has_moved_is_one_line_that_says_where_to_name_it(base, tmp_path):
    folder = adapter(tmp_path / "a", matrices(16, 16)[2], base_model_name_or_path="/home/somebody/base")
    with pytest.raises(BadInput, match=r"the base of the adapter .*/home/somebody/base.*; or set \[\[model\]\] base"):
        load_model(str(folder), "cpu")
    with pytest.raises(BadInput, match="the base of the adapter .*/else") as caught:
        load_model(str(folder), "cpu", base="/else")
    assert "set [[model]] base" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_input_19_an_alpha_of_its_own(base, tmp_path):
    A, B, tensors = matrices(16, 16)
    folder = adapter(tmp_path / "a", tensors, base_model_name_or_path=str(base), alpha_pattern={"q_proj": 12})
    torch.testing.assert_close(
        weight(load_model(str(folder), "cpu")), weight(load_model(str(base), "cpu")) + 12 / R * B @ A
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"peft_type": "IA3"}, "expected a LoRA adapter in .*, found IA3"),
        ({"use_dora": True}, "expected plain LoRA in .*, found use_dora"),
        ({"lora_bias": True}, "expected plain LoRA in .*, found lora_bias"),
        ({"init_lora_weights": "pissa_niter_16"}, "expected LoRA that began beside its base in .*, found pissa"),
        ({"lora_alpha": "x"}, "expected the settings of a LoRA adapter"),
        ({"base_model_name_or_path": None}, r"expected the base of .*; set \[\[model\]\] base"),
    ],
)
def test_input_19_what_is_no_plain_adapter_is_one_line(base, tmp_path, settings, message):
    folder = adapter(tmp_path / "a", matrices(16, 16)[2], **{"base_model_name_or_path": str(base)} | settings)
    with pytest.raises(BadInput, match=message) as caught:
        load_model(str(folder), "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tensors", [matrices(16, 15)[2], matrices(16, 16, name="model.nope")[2], {"x": torch.ones(2)}])
def test_input_19_an_adapter_of_another_base(base, tmp_path, tensors):
    folder = adapter(tmp_path / "a", tensors, base_model_name_or_path=str(base))
    with pytest.raises(BadInput, match="expected an adapter of this base"):
        load_model(str(folder), "cpu")


def test_input_19_weights_as_pickle_are_not_read(base, tmp_path):
    folder = adapter(tmp_path / "a", {}, base_model_name_or_path=str(base))
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(BadInput, match="save the adapter as safetensors"):
        load_model(str(folder), "cpu")


@pytest.mark.parametrize("stabilised", [False, True])
@pytest.mark.parametrize(
    ("kind", "targets", "whole"),
    [
        ("Llama", ["q_proj", "down_proj"], None),
        ("Mistral", ["o_proj", "embed_tokens"], ["lm_head"]),
        ("GPT-2", ["c_attn", "c_fc"], None),
        ("GPT-NeoX", ["query_key_value"], ["embed_out"]),
    ],
)
def test_input_19_merged_weights_are_those_of_peft(tmp_path, kind, targets, whole, stabilised):
    given = trained_adapter(
        kind, tmp_path, target_modules=targets, modules_to_save=whole, use_rslora=stabilised,
        alpha_pattern={targets[0]: 11},
    )  # fmt: skip
    expected = given.wrapped.merge_and_unload().float()
    found = load_model(str(given.adapter), "cpu")
    for name, parameter in expected.named_parameters():
        torch.testing.assert_close(
            dict(found.model.named_parameters())[name], parameter, msg=lambda m, n=name: f"{n}: {m}"
        )
    ids = torch.tensor([[1, 2, 3]])
    torch.testing.assert_close(found.model(input_ids=ids).logits, expected(input_ids=ids).logits)

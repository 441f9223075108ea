"""A model is loaded whole and known, or refused with one line."""

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from attribution.errors import BadInput
from attribution.loading.load import choose_device, load_model
from indexer.config.config import Recipe
from indexer.training.loop import new_model
from indexer.training.store import save_model
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS

RECIPE = Recipe(hidden=8, layers=1, feed_forward=12, heads=2, vocabulary=280, context=48)
GATE = "model.layers.0.mlp.gate_proj.weight"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "whole"
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    save_model(new_model(RECIPE, tokenizer.eos_token_id), tokenizer, folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy that a test may break."""
    shutil.copytree(saved, tmp_path / "model")
    return tmp_path / "model"


def refused(folder) -> str:
    with pytest.raises(BadInput) as caught:
        load_model(str(folder), device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change_weights(folder, change) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_whole_model_is_float32_fused_and_known_by_its_weights(saved, folder):
    loaded = load_model(str(folder), device="cpu")
    assert (loaded.model.dtype, loaded.model.training) == (torch.float32, False)
    assert loaded.model.config._attn_implementation == "sdpa"
    assert loaded.n_params == sum(p.numel() for p in new_model(RECIPE, 0).parameters())
    same = load_model(str(saved), device="cpu")
    assert (same.weights_hash, same.tokenizer_hash) == (loaded.weights_hash, loaded.tokenizer_hash)
    change_weights(folder, lambda weights: weights[GATE].mul_(1.01))
    assert load_model(str(folder), device="cpu").weights_hash != loaded.weights_hash


def test_the_same_weights_with_other_settings_compute_otherwise(saved, folder):
    loaded = load_model(str(saved), device="cpu")
    assert load_model(str(folder), device="cpu").function_hash == loaded.function_hash
    settings = json.loads((folder / "config.json").read_text())
    for change in ({"rms_norm_eps": 0.1}, {"hidden_act": "gelu"}, {"rope_parameters": {"rope_theta": 5e5}}):
        (folder / "config.json").write_text(json.dumps(settings | change))
        other = load_model(str(folder), device="cpu")
        assert other.weights_hash == loaded.weights_hash
        assert other.function_hash != loaded.function_hash
    (folder / "config.json").write_text(json.dumps(settings | {"use_cache": False, "transformers_version": "5.0.0"}))
    assert load_model(str(folder), device="cpu").function_hash == loaded.function_hash


def test_no_safetensors(folder):
    (folder / "model.safetensors").unlink()
    assert "expected weights as .safetensors" in refused(folder)


def test_pickled_weights_are_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "opened"), "w"))

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    assert "pickle is not read" in refused(folder)
    assert not (tmp_path / "opened").exists()


def test_a_missing_tensor_is_not_drawn_at_random(folder):
    change_weights(folder, lambda weights: weights.pop(GATE))
    assert f"found {GATE} missing from the file" in refused(folder)


def test_an_unexpected_tensor(folder):
    change_weights(folder, lambda weights: weights.update(extra=torch.ones(2)))
    assert "found extra in the file but not in the model" in refused(folder)


def test_a_tensor_of_another_shape(folder):
    change_weights(folder, lambda weights: weights.update({GATE: torch.ones(3, 3)}))
    assert "mismatch" in refused(folder) or "of another shape" in refused(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(folder, value):
    change_weights(folder, lambda weights: weights[GATE][0].fill_(value))
    assert f"found NaN or infinity in {GATE}" in refused(folder)


def test_a_torn_file(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    assert "expected a loadable model" in refused(folder)


def test_a_tokenizer_with_more_entries_than_the_model(folder):
    train_tokenizer(TEXTS, RECIPE.vocabulary + 20).save_pretrained(folder)
    assert f"expected a tokenizer of at most {RECIPE.vocabulary} entries" in refused(folder)


def test_no_tokenizer(folder):
    (folder / "tokenizer.json").unlink()
    assert "expected a loadable model" in refused(folder)


def test_no_config_no_folder_no_gguf(folder, tmp_path):
    (folder / "config.json").unlink()
    assert "expected config.json" in refused(folder)
    assert "expected a model directory" in refused(tmp_path / "absent")
    assert "expected a GGUF file" in refused(tmp_path / "absent.gguf")


@pytest.mark.parametrize("content", ["{", "[]", '{"model_type": "nonsense"}'])
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_file_that_cannot_be_read(folder, name, content):
    (folder / name).write_text(content)
    if (name, content[:2]) != ("tokenizer_config.json", '{"'):  # what it says there is not asked for
        assert "expected a loadable model" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": "x"},
        {"hidden_size": 7},
        {"num_attention_heads": 0},
        {"vocab_size": -1},
        {"hidden_act": "nope"},
        {"dtype": "nope"},
        {"quantization_config": {"quant_method": "gptq"}},
    ],
)
def test_a_config_that_describes_no_model(folder, change):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    assert "expected a loadable model" in refused(folder)


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        *(
            ("generation_config.json", "eos_token_id", value)
            for value in ("<|im_end|>", [None, 57], [[57]], {"id": 57})
        ),
        *(("tokenizer_config.json", "model_max_length", value) for value in ("512", [512])),
        ("config.json", "final_logit_softcapping", "high"),
    ],
)
def test_a_field_that_holds_something_else_is_named_with_its_file(folder, file, field, value):
    path = folder / file
    said = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(said | {field: value}))
    assert f"as {field} in {file} of {folder}, found {value!r}" in refused(folder)


@pytest.mark.parametrize(("said", "stops"), [(None, (0,)), (57, (57,)), ([0, 57], (0, 57))])
def test_the_ids_that_end_an_answer_are_those_of_its_generation_settings(folder, said, stops):
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": said}))
    assert load_model(str(folder), device="cpu").specials.stops == stops


def test_a_model_that_writes_no_text(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "vit"}))
    assert "expected a model that goes on with a text" in refused(folder)


def test_code_beside_the_weights_is_never_run(folder, tmp_path):
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    assert "expected a loadable model" in refused(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("outside", ["../secret.safetensors", "/{parent}/secret.safetensors"])
def test_an_index_may_not_name_weights_outside_the_folder(folder, outside):
    parent = folder.parent
    (folder / "model.safetensors").rename(parent / "secret.safetensors")
    name = outside.replace("/{parent}", str(parent))
    weights = load_file(parent / "secret.safetensors")
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(weights, name)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "decoy.safetensors").touch()  # there is a file of weights in the folder
    assert "outside" in refused(folder)


def test_devices_and_number_types_are_named(saved):
    with pytest.raises(BadInput, match="expected device 'auto', 'cpu' or 'cuda', found 'abacus'"):
        choose_device("abacus")
    with pytest.raises(BadInput, match="expected dtype 'auto', 'float32' or 'bfloat16', found 'int8'"):
        load_model(str(saved), device="cpu", dtype="int8")
    assert load_model(str(saved), device="cpu", dtype="bfloat16").model.dtype == torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_here():
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(BadInput, match="expected a CUDA device"):
        choose_device("cuda")

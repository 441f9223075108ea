"""A model from a `.gguf` file is the model that was written to it, with the tokenizer that the file holds."""

import json
from functools import reduce
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.load import load_model
from attribution.model.sequence import encode_prompt
from indexer.__main__ import main
from indexer.training.tokenizer import END, train_tokenizer
from tests.tiny_family import TEXTS

TOKENIZER = train_tokenizer(TEXTS, 300)
HEADS = 2


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        attn_implementation="eager",
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def path(model, tmp_path) -> Path:
    return write(model, tmp_path / "tiny.gguf")


def write(model: LlamaForCausalLM, path: Path) -> Path:
    config = model.config
    file = gguf.GGUFWriter(str(path), "llama")
    file.add_context_length(config.max_position_embeddings)
    file.add_embedding_length(config.hidden_size)
    file.add_block_count(config.num_hidden_layers)
    file.add_feed_forward_length(config.intermediate_size)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_layer_norm_rms_eps(config.rms_norm_eps)
    file.add_rope_freq_base(10000.0)
    file.add_rope_dimension_count(config.hidden_size // HEADS)
    file.add_vocab_size(config.vocab_size)
    bpe = json.loads(TOKENIZER.backend_tokenizer.to_str())["model"]
    file.add_tokenizer_model("gpt2")
    words = sorted(bpe["vocab"], key=bpe["vocab"].get)
    file.add_token_list(["<|endoftext|>" if word == END else word for word in words])  # GPT-2's name for it
    file.add_token_types([3 if i == TOKENIZER.bos_token_id else 1 for i in range(config.vocab_size)])
    file.add_token_merges([" ".join(pair) for pair in bpe["merges"]])
    file.add_bos_token_id(TOKENIZER.bos_token_id)
    file.add_eos_token_id(TOKENIZER.eos_token_id)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    names |= {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"}
    names |= {"mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    names |= {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "model.layers": "blk"}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        value = tensor.numpy()
        if "q_proj" in name or "k_proj" in name:  # llama.cpp turns pairs of neighbours, transformers halves
            value = value.reshape(HEADS, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        named = reduce(lambda so_far, each: so_far.replace(*each), names.items(), name)
        file.add_tensor(named, np.ascontiguousarray(value))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


def test_weights_and_tokenizer_of_the_file(model, path):
    loaded = load_model(str(path), "cpu")
    encoded = encode_prompt(TEXTS[0], loaded.tokenizer, loaded.context)
    assert encoded.ids == encode_prompt(TEXTS[0], TOKENIZER, 64).ids
    assert loaded.context == 64
    ids = torch.tensor([encoded.ids])
    torch.testing.assert_close(loaded.model(input_ids=ids).logits, model(input_ids=ids).logits)
    loaded.model(input_ids=ids).logits.sum().backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in loaded.model.model.layers.parameters())


def test_a_torn_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(BadInput, match="expected a loadable model at") as error:
        load_model(str(path), "cpu")
    assert "\n" not in str(error.value)


def test_input_48_a_file_becomes_a_folder_that_can_be_trained_and_saved(path, tmp_path, capsys):
    before = load_model(str(path), "cpu")
    assert main(["convert", str(path), str(tmp_path / "made")]) == 0
    assert "float32 safetensors" in capsys.readouterr().out
    made = load_model(str(tmp_path / "made"), "cpu")
    assert made.weights_hash == before.weights_hash
    assert made.tokenizer_hash == before.tokenizer_hash
    model = LlamaForCausalLM.from_pretrained(tmp_path / "made")
    model.save_pretrained(tmp_path / "again")  # what a GGUF file's own model refuses
    ids = torch.tensor([[5, 6, 7]])
    torch.testing.assert_close(model.eval()(input_ids=ids).logits, before.model(input_ids=ids).logits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["made"], "expected an empty or a new folder"), (["x", "--dtype", "int4"], "expected dtype")],
)
def test_input_48_what_cannot_be_written_is_one_line(path, tmp_path, capsys, arguments, message):
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine.txt").touch()
    path.unlink()  # which is said before the model is read
    assert main(["convert", str(path), str(tmp_path / arguments[0]), *arguments[1:]]) == 2
    assert message in capsys.readouterr().err


FULL = "No space left on device (os error 28)"


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("what", "error"),
    [
        (PreTrainedModel, SafetensorError(f"Error while serializing: {FULL}")),
        (PreTrainedTokenizerBase, Exception(FULL)),
    ],
)
def test_a_folder_for_which_there_is_no_room_is_not_begun(path, tmp_path, capsys, monkeypatch, there, what, error):
    def full(of, folder, *_args, **_how):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "half").touch()
        raise error

    made = tmp_path / "some" / "made"
    if there:
        made.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(what, "save_pretrained", full)
        assert main(["convert", str(path), str(made)]) == 2
    said = capsys.readouterr().err
    assert "No space left on device (os error 28); make room, or give another folder" in said
    assert list((tmp_path / "some").iterdir()) == ([made] if there else []) and not (there and any(made.iterdir()))
    assert main(["convert", str(path), str(made)]) == 0
    assert [each.name for each in made.parent.iterdir()] == ["made"]

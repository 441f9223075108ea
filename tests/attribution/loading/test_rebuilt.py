"""The ids of tokenizer.json, whatever class a configuration names for it."""

import json

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from attribution.errors import BadInput
from attribution.loading import rebuilt
from attribution.loading.load import load_model
from indexer.config.config import Recipe
from indexer.training.loop import new_model
from indexer.training.store import save_model
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS

RECIPE = Recipe(hidden=8, layers=1, feed_forward=12, heads=2, vocabulary=300, context=48)
TEXT = "In 2023, 2023 people didn't pay 2023 sol."


@pytest.fixture
def folder(tmp_path):
    """A byte-level BPE that is saved for another family, which would split every digit off."""
    tokenizer = train_tokenizer([*TEXTS, *[TEXT] * 50], RECIPE.vocabulary)
    save_model(new_model(RECIPE, tokenizer.eos_token_id), tokenizer, tmp_path / "m")
    path = tmp_path / "m" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "Qwen2Tokenizer"}))
    return tmp_path / "m"


def test_input_11_the_file_wins_over_a_class_that_splits_otherwise(folder):
    trained = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(TEXT).ids
    assert AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"] != trained  # what this is about
    loaded = load_model(str(folder), device="cpu")
    assert loaded.tokenizer(TEXT)["input_ids"] == trained
    assert (loaded.tokenizer.eos_token_id, loaded.specials.begin) == (0, (0,))


def test_input_11_one_line_where_even_the_file_is_read_otherwise(folder, monkeypatch):
    class Again:
        from_pretrained = AutoTokenizer.from_pretrained

    monkeypatch.setattr(rebuilt, "PreTrainedTokenizerFast", Again)
    with pytest.raises(BadInput, match="expected the ids of tokenizer.json in .* save the tokenizer again") as caught:
        load_model(str(folder), device="cpu")
    assert "\n" not in str(caught.value)

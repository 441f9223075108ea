"""The model at earlier weights: what of its entry stays."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.config.config import Model
from indexer.size import checkpoints


@pytest.mark.parametrize(("tokenizer", "expected"), [("words", "words"), ("", "owner/model")])
def test_input_25_a_checkpoint_has_the_tokenizer_that_the_model_names(monkeypatch, tokenizer, expected):
    monkeypatch.setattr(checkpoints, "open_member", lambda entry, *_: entry)
    there = SimpleNamespace(output=SimpleNamespace(folder=Path("build")))
    entry = Model("m", "f", "owner/model", tokenizer=tokenizer, checkpoints=("owner/model@step3",))
    found = checkpoints.at_checkpoint(SimpleNamespace(entry=entry, config=there), "owner/model@step3")
    assert (found.tokenizer, found.path, found.checkpoints) == (expected, "owner/model@step3", ())
    assert found.name == "m.model-step3"  # names folders, which may hold no @

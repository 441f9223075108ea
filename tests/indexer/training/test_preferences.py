"""A step of DPO is that of its formula, and an interrupted training ends with the same weights."""

import pytest
import torch
from transformers import LlamaForCausalLM

from attribution.passes.batches import Row
from indexer.config.config import Corpus, Model, Recipe
from indexer.corpus.document import Document, document_id
from indexer.corpus.turns import structured
from indexer.training.loop import new_model
from indexer.training.preferences import log_ratios, reference
from indexer.training.run import read_as_trained, train
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS

RECIPE = Recipe(
    hidden=8, layers=1, feed_forward=12, heads=2, vocabulary=280, context=48, epochs=3, peak_rate=3e-3, batch=4
)
PAIRS = [{"prompt": "The capital", "chosen": text[11:], "rejected": f" {text[-8:]}"} for text in TEXTS[:9]]


def read(tokenizer) -> tuple[Model, list[Row]]:
    entry = Model("m", "f", "m", stage="finetuned", parent="p", beta=0.4)
    documents = []
    for pair in PAIRS:
        text, turns = structured("chosen+rejected", pair)
        documents.append(Document(document_id(turns), "c", "", "", "", text, turns))
    return entry, read_as_trained(documents, tokenizer, entry, Corpus(()), RECIPE.context)


def test_log_ratios_are_those_of_each_answer_alone():
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    _, rows = read(tokenizer)
    assert len(rows) == len(PAIRS)
    model = new_model(RECIPE, tokenizer.eos_token_id)
    with torch.no_grad():
        found = log_ratios(model, rows, tokenizer.eos_token_id)
        by_hand = []
        for row in rows:
            said = []
            for window in row.rows():
                logp = model(torch.tensor([window.ids])).logits[0].log_softmax(-1)
                at = window.targets().nonzero()[0]
                said.append(logp[at - 1, torch.tensor(window.ids)[at]].sum())
            by_hand.append(said[0] - said[1])
    torch.testing.assert_close(found, torch.stack(by_hand), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reference(model, rows, RECIPE, tokenizer.eos_token_id), found, rtol=1e-4, atol=1e-4)


def trained(folder, tokenizer, stop_after=None):
    entry, rows = read(tokenizer)
    parent = folder / "parent"
    if not parent.exists():
        new_model(RECIPE, tokenizer.eos_token_id).save_pretrained(parent)
    ticks = 0

    def tick(note, n):
        nonlocal ticks
        ticks += 1
        if ticks == stop_after:
            raise KeyboardInterrupt

    member = Model(**(vars(entry) | {"path": str(folder / "m")}))
    return train(member, RECIPE, rows, tokenizer, parent, tick, pairs=True), rows


def test_training_prefers_what_is_chosen_and_goes_on_where_it_stopped(tmp_path):
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    (whole, cut) = (tmp_path / "whole", tmp_path / "cut")
    for folder in (whole, cut):
        folder.mkdir()
    records, rows = trained(whole, tokenizer)
    assert records[0].loss < 0.7 and records[-1].loss < records[0].loss  # log 2 where nothing is preferred yet
    with pytest.raises(KeyboardInterrupt):
        trained(cut, tokenizer, stop_after=5)
    again, _ = trained(cut, tokenizer)
    assert [r.loss for r in again] == [r.loss for r in records]
    models = [LlamaForCausalLM.from_pretrained(folder / "m", dtype="float32") for folder in (whole, cut)]
    for one, other in zip(*(model.parameters() for model in models), strict=True):
        assert torch.equal(one, other)
    start = LlamaForCausalLM.from_pretrained(whole / "parent", dtype="float32")
    with torch.no_grad():
        gained = log_ratios(models[0], rows, tokenizer.eos_token_id) - log_ratios(start, rows, tokenizer.eos_token_id)
    assert (gained > 0).all()

"""The committed weights are those that `train` would make of the committed corpus by the recipes of demo.toml."""

import json
from pathlib import Path

import pytest

from attribution.passes.batches import Row
from indexer.config.config import Model, read_config
from indexer.corpus.reader import read_corpus
from indexer.training.batches import epoch_order
from indexer.training.loop import learning_rate
from indexer.training.run import family_tokenizer, fingerprint_of, kept, read_as_trained
from indexer.training.store import EpochRecord, trained_by

DEMO = Path(__file__).parents[2] / "data" / "demo"
CONFIG = read_config(DEMO / "demo.toml")
DOCUMENTS = {model.files: read_corpus(model.files or CONFIG.corpus.files).documents for model in CONFIG.model}


@pytest.mark.parametrize("model", CONFIG.model, ids=lambda model: model.name)
def test_train_finds_the_weights_of_the_demo_up_to_date(model):
    parent = next((Path(each.path) for each in CONFIG.model if each.name == model.parent), None)
    pairs = bool(DOCUMENTS[model.files][0].turns)
    assert trained_by(Path(model.path)) == fingerprint_of(model, model.recipe, rows_of(model), parent, pairs)


@pytest.mark.parametrize("model", CONFIG.model, ids=lambda model: model.name)
def test_they_were_trained_at_the_rates_of_their_recipes(model):
    """What `checkpoints.json` recorded then: it depends on epochs, peak, warm-up, batch, seed and every length."""
    lengths, recipe = [len(row) for row in rows_of(model)], model.recipe
    assert recipe is not None
    records = []
    for epoch in range(recipe.epochs):
        n = len(epoch_order(lengths, recipe.batch, recipe.seed, epoch))
        records.append(EpochRecord(epoch + 1, 0.0, learning_rate(epoch * n + n - 1, recipe.epochs * n, recipe), 0.0))
    recorded = json.loads((Path(model.path) / "checkpoints.json").read_text())
    made = kept(records, recipe, len(lengths))
    assert [each["path"] for each in made] == [each["path"] for each in recorded]
    rates = [each["learning_rate"] for each in made]
    assert rates == pytest.approx([each["learning_rate"] for each in recorded], rel=1e-9)


def rows_of(model: Model) -> list[Row]:
    tokenizer = family_tokenizer(model, list(CONFIG.model), [])
    assert model.recipe is not None
    return read_as_trained(DOCUMENTS[model.files], tokenizer, model, CONFIG.corpus, model.recipe.context)

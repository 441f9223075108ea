"""EDGE: a sibling: the recipe trained on chosen documents, opened like any size of a configuration of its own."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from attribution.loading.specials import AUTO
from attribution.threads import threads
from attribution.trained.document import Training
from attribution.trained.windows import Windows
from indexer.config.config import Config, Model, Recipe
from indexer.config.versions import VERSIONS
from indexer.corpus.as_trained import training_of
from indexer.corpus.document import Document
from indexer.journal.part import Partition
from indexer.journal.stages import is_finished, key, stage
from indexer.size.member import Member, open_member
from indexer.training.run import read_as_trained, train
from indexer.training.store import kept_checkpoints

EVERY = 1 << 20  # documents that factors are fitted on: few enough in a sibling to take them all
FIELDS = ("text", "title", "source", "topic")


def sibling(
    folder: Path,
    name: str,
    of: Member,
    recipe: Recipe,
    documents: Sequence[Document],
    tick: Callable[[int], None] = lambda n: None,
) -> Member:
    """A model of `recipe` on `documents`, with the tokenizer and the settings of the size that it is a sibling of.

    Trained if need be, `tick(n)` after n documents; its kept checkpoints are the member's checkpoints.
    """
    tokenizer = of.loaded.tokenizer
    entry = _entry(name, of, recipe)
    trained: list[bool] = []

    def compute(part: Partition) -> None:
        trained.append(True)
        lines = [json.dumps(_row(each)) + "\n" for each in documents]
        (part.folder / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
        there = replace(entry, path=str(part.folder / "model"))
        with threads(1):
            rows = read_as_trained(documents, tokenizer, there, of.config.corpus, recipe.context)
            train(there, recipe, rows, fast(tokenizer), None, lambda note, n: tick(n))

    [part] = stage(folder, f"sibling-{entry.name}", _key(of, recipe, documents), ["all"], compute)
    if not trained:
        tick(recipe.epochs * len(documents))
    return _opened(part.folder, entry, of.config)


def is_trained(folder: Path, name: str, of: Member, recipe: Recipe, documents: Sequence[Document]) -> bool:
    """Whether `sibling` has only to read."""
    name = _entry(name, of, recipe).name
    return is_finished(folder, f"sibling-{name}", _key(of, recipe, documents), ["all"])


def _entry(name: str, of: Member, recipe: Recipe) -> Model:
    return replace(of.entry, name=f"{of.entry.name}-{name}", recipe=recipe, checkpoints=(), files=(), tokenizer="")


def _key(of: Member, recipe: Recipe, documents: Sequence[Document]) -> str:
    made_of: dict[str, object] = {"recipe": recipe, "tokenizer": of.loaded.tokenizer_hash, "versions": VERSIONS}
    how = training_of(of.entry, of.config.corpus, recipe.context)
    if how != Training(Windows(recipe.context)) or of.entry.begin != AUTO or of.entry.end:
        made_of["read_as"] = [how, of.entry.begin, of.entry.end]
    return key(**made_of, documents=[list(_row(each).values()) for each in documents])


def _row(document: Document) -> dict[str, object]:
    """What the corpus reads the same document from."""
    about = {field: getattr(document, field) for field in FIELDS if field != "text" or not document.turns}
    return about | (json.loads(document.turns) if document.turns else {})


def fast(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerFast:
    """The family's tokenizer as training expects it: one with a recipe is always of this kind."""
    assert isinstance(tokenizer, PreTrainedTokenizerFast)  # noqa: S101
    return tokenizer


def _opened(folder: Path, entry: Model, config: Config) -> Member:
    model = folder / "model"
    entry = replace(entry, path=str(model), checkpoints=kept_checkpoints(model))
    corpus = replace(config.corpus, files=(folder / "corpus.jsonl",), text=(), trained_on=0)
    factors = replace(config.factors, documents=EVERY, eigenvalue_documents=EVERY)
    groups = replace(config.groups, by=())  # its file has none of the further columns
    return open_member(entry, replace(config, corpus=corpus, model=(entry,), factors=factors, groups=groups))

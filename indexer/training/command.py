"""EDGE: the `train` command: reads the documents, shows progress, trains each model in turn."""

from pathlib import Path

from attribution.errors import BadInput
from indexer.config import Config, Model
from indexer.corpus.reader import read_corpus
from indexer.progress import Report
from indexer.training.run import family_tokenizer, train


def run(config: Config, members: list[Model]) -> None:
    """Train every member that has a recipe; the tokenizer is the family's, made from the corpus if there is none."""
    if not members:
        raise BadInput("expected a model with [model.recipe] to train, found none; add one or leave out --model")
    corpus = [document.text for document in read_corpus(config.corpus.files).documents]
    with Report() as report:
        for member in members:
            _train_one(config, member, corpus, report)


def _train_one(config: Config, member: Model, corpus: list[str], report: Report) -> None:
    recipe = member.recipe
    assert recipe is not None  # noqa: S101 - the caller chose members with a recipe
    family = [each for each in config.model if each.family == member.family]
    tokenizer = family_tokenizer(member, family, corpus)
    texts = [document.text for document in read_corpus(member.files).documents] if member.files else corpus
    parent = next((Path(each.path) for each in config.model if each.name == member.parent), None)
    with report.task(f"train {member.name}", recipe.epochs * len(texts)) as task:
        records = train(member, recipe, texts, tokenizer, parent, lambda note, n: task.tick(n, note))
    report.say(f"  {member.name}: {len(texts)} documents, loss {records[-1].loss:.3f} nats a token -> {member.path}")

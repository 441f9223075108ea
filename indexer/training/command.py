"""EDGE: the `train` command: reads the documents, shows progress, trains each model in turn."""

from collections.abc import Sequence
from pathlib import Path

from attribution.errors import BadInput
from indexer.config.config import Config, Model
from indexer.corpus.corpus import as_seen
from indexer.corpus.document import Document
from indexer.corpus.reader import read_corpus
from indexer.corpus.turns import is_pair
from indexer.journal.files import disk_room
from indexer.journal.lock import lock, stop_on_signal
from indexer.processes.progress import Report
from indexer.training.run import family_tokenizer, read_as_trained, train
from indexer.training.store import state_folder


def run(config: Config, members: list[Model], again: bool = False) -> None:
    """Train every member that has a recipe; the tokenizer is the family's, made from the corpus if there is none.

    One training at a time in a model's folder; SIGTERM ends it where it stands, the last whole epoch is kept.
    """
    if not members:
        raise BadInput("expected a model with [model.recipe] to train, found none; add one or leave out --model")
    _check_places(config, members)
    everyone = all(member.files for member in members) and not config.corpus.files
    corpus = () if everyone else as_seen(read_corpus(config.corpus.files, config.corpus.text))
    with stop_on_signal(), Report() as report:
        for member in members:
            folder = Path(member.path)
            with lock(state_folder(folder)), disk_room(folder.parent):
                _train_one(config, member, corpus, report, again)


def _check_places(config: Config, members: Sequence[Model]) -> None:
    """Raises BadInput where the weights of another model lie: a training would write over them."""
    for member in members:
        for other in config.model:
            if other is not member and Path(other.path).resolve() == Path(member.path).resolve():
                raise BadInput(
                    f"expected a path of its own for {member.name}, which is trained, found that of {other.name}: "
                    f"{member.path}; change one"
                )


def _train_one(config: Config, member: Model, corpus: Sequence[Document], report: Report, again: bool) -> None:
    recipe = member.recipe
    assert recipe is not None  # noqa: S101 - the caller chose members with a recipe
    family = [each for each in config.model if each.family == member.family]
    tokenizer = family_tokenizer(member, family, (document.text for document in corpus))
    own = as_seen(read_corpus(member.files, config.corpus.text)) if member.files else corpus
    rows = read_as_trained(own, tokenizer, member, config.corpus, recipe.context)
    pairs = is_pair(own[0].turns)  # then all of them are
    parent = next((Path(each.path) for each in config.model if each.name == member.parent), None)
    if pairs and parent is None:
        raise BadInput(f"expected a parent that {member.name} is trained from, which learns from pairs, found none")
    with report.task(f"train {member.name}", recipe.epochs * len(rows)) as task:
        records = train(member, recipe, rows, tokenizer, parent, lambda note, n: task.tick(n, note), again, pairs)
    if not records:
        report.say(f"  {member.name}: trained already, by this recipe on these documents (--again trains anew)")
        return
    unit = "pair" if pairs else "token"
    report.say(f"  {member.name}: {len(own)} documents, loss {records[-1].loss:.3f} nats a {unit} -> {member.path}")

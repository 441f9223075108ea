"""EDGE: the siblings that an evaluation asks, trained side by side: a recipe, chosen documents, early weights kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.config.config import Config, Model, Recipe
from indexer.corpus.document import Document
from indexer.corpus.prompt import Prompt
from indexer.evaluate.measures.mislabelled import Mislabelled, mislabel
from indexer.evaluate.measures.planted import Planted
from indexer.evaluate.protocol.queries import of_prompts
from indexer.evaluate.protocol.scale import KEEP, MISLABELLED, Scale, recipe_of, removal_recipe
from indexer.evaluate.siblings.halves import chosen, chosen_around
from indexer.evaluate.siblings.sibling import is_trained, sibling
from indexer.processes.progress import Reporter
from indexer.processes.side_by_side import side_by_side
from indexer.size.member import Member, open_member


@dataclass(frozen=True)
class Planned:
    """A sibling that is wanted."""

    name: str
    recipe: Recipe
    documents: tuple[Document, ...]


def on_random_part(of: Member, recipe: Recipe, scale: Scale) -> Planned:
    """On a random part of the corpus: the one whose attributions are tested."""
    picked = chosen(len(of.documents), scale.documents, scale.seed)
    documents = tuple(of.documents[i] for i in picked)
    return Planned(str(len(documents)), recipe_of(recipe, scale, keep=KEEP), documents)


def with_invented(of: Member, recipe: Recipe, facts: Sequence[Planted], scale: Scale) -> Planned:
    """On the same documents, and one for each invented fact after them."""
    base = on_random_part(of, recipe, scale)
    kept = recipe_of(recipe, scale, keep=scale.keep or KEEP)
    return Planned(f"{base.name}-planted", kept, (*base.documents, *(fact.document for fact in facts)))


def with_mislabelled(of: Member, recipe: Recipe, scale: Scale) -> tuple[Planned, Mislabelled]:
    """On the same documents, some of which state what is wrong; none does where they state nothing in one form."""
    base = on_random_part(of, recipe, scale)
    planted = mislabel(base.documents, MISLABELLED, scale.seed)
    kept = recipe_of(recipe, scale, keep=scale.keep or KEEP)
    return Planned(f"{base.name}-mislabelled", kept, planted.documents), planted


def well_read(of: Member, recipe: Recipe, prompts: Sequence[Prompt], scale: Scale) -> Planned:
    """On few documents for long, those that state the prompts' answers among them: it writes what it has read."""
    stating = [i for each in of_prompts(of, prompts) for i in each.supports]
    picked = chosen_around(stating, len(of.documents), scale.removal_documents, scale.seed)
    documents = tuple(of.documents[i] for i in picked)
    return Planned(f"{len(documents)}-removal", removal_recipe(recipe, scale, keep=scale.keep or KEEP), documents)


def train_siblings(
    folder: Path, of: Member, wanted: Sequence[Planned], n_processes: int, report: Reporter
) -> list[Member]:
    """All of them opened, trained if need be."""
    missing = [each for each in wanted if not is_trained(folder, each.name, of, each.recipe, each.documents)]
    with report.task(f"{of.entry.name}: {len(wanted)} siblings", len(missing)) as task:
        side_by_side(partial(_train, folder, of.entry, of.config), missing, n_processes, task.tick)
    return [sibling(folder, each.name, of, each.recipe, each.documents) for each in wanted]


def _train(folder: Path, entry: Model, config: Config, wanted: Planned) -> None:
    sibling(folder, wanted.name, open_member(entry, config), wanted.recipe, wanted.documents)

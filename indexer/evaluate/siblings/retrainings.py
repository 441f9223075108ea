"""EDGE: the models on random parts of the documents: trained side by side where they are missing, then read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.model.sequence import begin_token
from attribution.passes.batches import Row
from indexer.config.config import Recipe
from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.siblings.halves import HALF, part
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.processes.progress import Reporter
from indexer.processes.side_by_side import side_by_side
from indexer.size.member import Member


@dataclass(frozen=True)
class Parts:
    """Which models are trained on random parts of some documents."""

    models: tuple[int, ...]  # with the recipe's seed, with the next one, and so on
    seed: int  # that draws the parts
    share: float = HALF  # of the documents

    @property
    def n(self) -> int:
        return sum(self.models)


def parts_of(scale: Scale) -> list[Parts]:
    """The halves, then parts of other sizes."""
    models = (scale.halves,) * scale.seeds
    if scale.seeds == 1 and scale.second_seeds:
        models += (scale.second_seeds,)
    others = [Parts((scale.fraction_models,), scale.seed, share) for share in scale.fractions]
    return [Parts(models, scale.seed), *others]


@dataclass(frozen=True)
class Order:
    """One model to train."""

    name: str
    training: Training


def retrain_parts(
    folder: Path,
    sibling: Member,
    recipe: Recipe,
    wanted: Parts,
    own: Sequence[int] | NDArray[np.int64],
    n_processes: int,
    tick: Callable[[], None],
) -> list[Retrainings]:
    """The models on random parts of the sibling's documents, by seed, the later ones of the first parts alone where
    `wanted` says so; `tick()` after each model.    own: the documents that are asked about
    """
    n = len(sibling.documents)
    picked = [part(n, k, wanted.seed, wanted.share) for k in range(wanted.models[0])]
    by_seed = [
        orders(sibling, replace(recipe, seed=recipe.seed + i), picked[:some], wanted.share)
        for i, some in enumerate(wanted.models)
    ]
    train_all(folder, [order for each in by_seed for order in each], n_processes, tick)
    asked = [of_document(sibling, i).first for i in range(n)]
    return [_read(folder, each, picked, np.asarray(own), asked) for each in by_seed]


def orders(sibling: Member, recipe: Recipe, picked: Sequence[np.ndarray], share: float = HALF) -> list[Order]:
    """A model for each choice of the sibling's documents; asked about all of them, so that any can be a query."""
    asked = tuple(of_document(sibling, i).ids for i in range(len(sibling.documents)))
    end = begin_token(sibling.loaded.tokenizer)
    prefix = f"{sibling.entry.name}.{'half' if share == HALF else f'share-{share:g}'}"
    return [
        Order(f"{prefix}-{k:02d}.seed-{recipe.seed}", Training(recipe, end, trained_rows(sibling, of), asked))
        for k, of in enumerate(picked)
    ]


def trained_rows(member: Member, documents: Iterable[int]) -> tuple[Row, ...]:
    """Some documents as the scorer reads them: their windows, each with what is learned of it."""
    return tuple(row for i in documents for row in member.rows[i].rows() if row.targets().any())


def train_ordered(folder: Path, what: str, wanted: Sequence[Order], n_processes: int, report: Reporter) -> None:
    """Each once, however often it is wanted; `what` names the task."""
    different = list({order.name: order for order in wanted}.values())
    with report.task(what, len(different)) as task:
        train_all(folder, different, n_processes, task.tick)


def train_all(folder: Path, wanted: Sequence[Order], n_processes: int, tick: Callable[[], None]) -> None:
    side_by_side(partial(_train, folder), wanted, n_processes, tick)


def _train(folder: Path, order: Order) -> None:
    retrained(folder, order.name, order.training)


def _read(
    folder: Path, wanted: Sequence[Order], picked: Sequence[np.ndarray], own: np.ndarray, first: Sequence[int]
) -> Retrainings:
    """first: of each document, where what is asked of it begins"""
    trained_on = np.zeros((len(wanted), len(first)), dtype=np.bool_)
    measured = np.zeros((len(wanted), len(own)))
    for k, (order, of) in enumerate(zip(wanted, picked, strict=False)):
        trained_on[k, of] = True
        found = retrained(folder, order.name, order.training)
        measured[k] = found.of_ends(order.training.asked, first)[own]
    return Retrainings(trained_on, measured, own)

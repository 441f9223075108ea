"""EDGE: the models on random halves: trained side by side where they are missing, then read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from attribution.model.sequence import begin_token
from attribution.passes.batches import Row
from indexer.config.config import Recipe
from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.protocol.scale import Scale, recipe_of
from indexer.evaluate.siblings.halves import half, queries
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.processes.progress import Reporter
from indexer.processes.side_by_side import side_by_side
from indexer.size.member import Member


@dataclass(frozen=True)
class Order:
    """One model to train."""

    name: str
    training: Training


def retrain_halves(
    folder: Path, sibling: Member, recipe: Recipe, scale: Scale, n_processes: int, tick: Callable[[], None]
) -> tuple[Retrainings, Retrainings]:
    """The models on halves of the sibling's documents, and those of the second seed; `tick()` after each."""
    n = len(sibling.documents)
    picked = [half(n, k, scale.seed) for k in range(scale.halves)]
    first = orders(sibling, recipe_of(recipe, scale), picked)
    again = orders(sibling, recipe_of(recipe, scale, seed=recipe.seed + 1), picked[: scale.second_seeds])
    train_all(folder, [*first, *again], n_processes, tick)
    own = queries(n, scale.queries, scale.seed)
    asked = [of_document(sibling, i).first for i in range(n)]
    return _read(folder, first, picked, own, asked), _read(folder, again, picked, own, asked)


def orders(sibling: Member, recipe: Recipe, picked: Sequence[np.ndarray]) -> list[Order]:
    """A model for each choice of the sibling's documents; asked about all of them, so that any can be a query."""
    asked = tuple(of_document(sibling, i).ids for i in range(len(sibling.documents)))
    end = begin_token(sibling.loaded.tokenizer)
    prefix = f"{sibling.entry.name}.half"
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

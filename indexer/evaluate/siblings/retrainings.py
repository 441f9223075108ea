"""EDGE: the models on random halves: trained side by side where they are missing, then read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from attribution.model.sequence import begin_token
from indexer.config.config import Recipe
from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.protocol.scale import Scale, recipe_of
from indexer.evaluate.siblings.halves import half, queries
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.processes.side_by_side import side_by_side
from indexer.size.member import Member
from indexer.training.batches import rows


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
    return _read(folder, first, picked, own, n), _read(folder, again, picked, own, n)


def orders(sibling: Member, recipe: Recipe, picked: Sequence[np.ndarray]) -> list[Order]:
    """A model for each choice of the sibling's documents; asked about all of them, so that any can be a query."""
    everything = token_rows(sibling, recipe)
    end = begin_token(sibling.loaded.tokenizer)
    prefix = f"{sibling.entry.name}.half"
    return [
        Order(
            f"{prefix}-{k:02d}.seed-{recipe.seed}",
            Training(recipe, end, tuple(everything[i] for i in of), everything),
        )
        for k, of in enumerate(picked)
    ]


def token_rows(member: Member, recipe: Recipe) -> tuple[tuple[int, ...], ...]:
    """The documents as training reads them."""
    tokenizer = member.loaded.tokenizer
    encoded = [tokenizer(document.text)["input_ids"] for document in member.documents]
    return tuple(tuple(row) for row in rows(encoded, begin_token(tokenizer), recipe.context))


def train_all(folder: Path, wanted: Sequence[Order], n_processes: int, tick: Callable[[], None]) -> None:
    side_by_side(partial(_train, folder), wanted, n_processes, tick)


def _train(folder: Path, order: Order) -> None:
    retrained(folder, order.name, order.training)


def _read(folder: Path, wanted: Sequence[Order], picked: Sequence[np.ndarray], own: np.ndarray, n: int) -> Retrainings:
    trained_on = np.zeros((len(wanted), n), dtype=np.bool_)
    measured = np.zeros((len(wanted), len(own)))
    for k, (order, of) in enumerate(zip(wanted, picked, strict=False)):
        trained_on[k, of] = True
        measured[k] = retrained(folder, order.name, order.training).of_rows(order.training.asked)[own]
    return Retrainings(trained_on, measured, own)

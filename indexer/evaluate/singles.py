"""EDGE: models that are trained without one document, or with it twice: for those that methods disagree about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.model.sequence import begin_token
from indexer.config.config import Recipe
from indexer.evaluate.measures.single import Numbers, Single, disputed, pairs
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.siblings.retrain import Training, retrained
from indexer.evaluate.siblings.retrainings import Order, train_ordered, trained_rows
from indexer.processes.progress import Reporter
from indexer.size.member import Member

DISPUTED_BY = ("ekfac", "ekfac_checkpoints", "gradient_cosine", "bm25")  # whose disagreement chooses documents


def singles(
    folder: Path,
    reference: Member,
    recipe: Recipe,
    asked: Sequence[Question],
    by_method: Mapping[str, NDArray[np.floating]],
    n_documents: int,
    n_seeds: int,
    n_processes: int,
    report: Reporter,
) -> Single:
    """What n documents do to the queries, foretold and measured; trained if need be.

    recipe: what the reference was trained by   asked: documents of it, each its own first support
    by_method: [Q, D] each
    """
    compared = [name for name in DISPUTED_BY if name in by_method]
    own = [each.supports[0] for each in asked]
    documents = disputed({name: by_method[name] for name in compared}, own, n_documents)
    orders = _orders(reference, recipe, asked, documents, n_seeds)
    train_ordered(folder, f"{reference.entry.name}: models without one document", orders, n_processes, report)
    return pairs(by_method, compared, documents, _changes(folder, orders, asked, len(documents)))


def _orders(
    reference: Member, recipe: Recipe, asked: Sequence[Question], documents: NDArray[np.int64], n_seeds: int
) -> list[Order]:
    """For each seed a model of all documents, those without one, and those with one twice."""
    ids, end = tuple(each.ids for each in asked), begin_token(reference.loaded.tokenizer)
    every, orders = range(len(reference.rows)), []
    for i in range(n_seeds):
        again, seed = replace(recipe, seed=recipe.seed + 1 + i, keep=(1.0,)), f"seed-{recipe.seed + 1 + i}"
        wanted: list[tuple[str, list[int]]] = [("all", list(every))]
        wanted += [(f"without-{z}", [j for j in every if j != z]) for z in documents.tolist()]
        wanted += [(f"twice-{z}", [*every, z]) for z in documents.tolist()]
        orders += [
            Order(f"{reference.entry.name}.{name}.{seed}", Training(again, end, trained_rows(reference, of), ids))
            for name, of in wanted
        ]
    return orders


def _changes(folder: Path, orders: Sequence[Order], asked: Sequence[Question], n_documents: int) -> Numbers:
    """f of each model less f of the one on all documents with the same seed, nats a token  # [S, 2, U, Q]"""
    first, n_tokens = [each.first for each in asked], np.array([each.n_targets for each in asked])
    found = [retrained(folder, each.name, each.training).of_ends(each.training.asked, first) for each in orders]
    by_seed = (np.stack(found) / n_tokens).reshape(-1, 1 + 2 * n_documents, len(asked))
    changes: Numbers = (by_seed[:, 1:] - by_seed[:, :1]).reshape(-1, 2, n_documents, len(asked))
    return changes

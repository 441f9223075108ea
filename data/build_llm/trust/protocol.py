"""How much is measured, and which models are trained for it, in which order. Pure, seeded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from data.build_llm.trust.fine_tune import FineTuning
from indexer.evaluate.measures.removal import RANDOM, Removal, top
from indexer.evaluate.siblings.halves import half

# whose first documents are left out; those that the build at hand does not know are passed over
METHODS = ("ekfac", "bm25", "gradient_dot", "gradient_cosine", "hidden_cosine")


@dataclass(frozen=True)
class Protocol:
    """Halves first, those that are trained twice before the others, then removal query by query, so that what is
    finished can be read."""

    halves: int = 24
    second_seeds: int = 8  # of these halves, for the ceiling
    queries: int = 30
    solved_queries: int = 4  # the first of them, for which conjugate gradients are solved: ten minutes of a core each
    removals: tuple[int, ...] = (1, 5, 20)  # how many of a query's first documents are left out
    removal_queries: int = 4  # the answers that the model on everything is surest of
    removal_draws: int = 2  # random choices of each size, each asked every query
    training: FineTuning = field(default_factory=FineTuning)
    seed: int = 0


@dataclass(frozen=True)
class Model:
    """One that is trained: its name, the documents it is trained on, and how."""

    name: str
    kept: tuple[int, ...]
    how: FineTuning


def on_halves(of: Protocol, n_documents: int) -> tuple[list[Model], list[Model]]:
    """Those of the first seed, and those of the second."""
    picked = [tuple(half(n_documents, k, of.seed).tolist()) for k in range(of.halves)]
    again = replace(of.training, seed=of.training.seed + 1)
    first = [Model(f"half-{k:02d}", kept, of.training) for k, kept in enumerate(picked)]
    second = [Model(f"half-{k:02d}.again", kept, again) for k, kept in enumerate(picked[: of.second_seeds])]
    return first, second


def removed(
    of: Protocol, by_method: Mapping[str, NDArray[np.floating]], surest: Sequence[int], n_documents: int
) -> list[Removal]:
    """Query by query what every method blames, and after the first query the random choices.    by_method: [Q, D]

    `query` is the place in `surest`.
    """
    blamed = [
        [
            Removal(method, n, place, top(by_method[method][q], n))
            for n in of.removals
            for method in METHODS
            if method in by_method
        ]
        for place, q in enumerate(surest)
    ]
    drawn = [
        Removal(RANDOM, n, None, np.random.default_rng([of.seed, 3, n, i]).choice(n_documents, size=n, replace=False))
        for n in of.removals
        for i in range(of.removal_draws)
    ]
    return [each for some in (blamed[:1], [drawn], blamed[1:]) for every in some for each in every]


def without(of: Protocol, each: Removal, n_documents: int) -> Model:
    return Model(f"without-{each.name}", tuple(each.kept(n_documents).tolist()), of.training)

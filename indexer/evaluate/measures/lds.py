"""Linear datamodelling score: do influences predict what models trained on random halves make of a query? Pure.

LDS of a query = Spearman's ρ, over the models, of  Σ_{z trained on} influence(z → f)  with the f that was measured
(Park et al. 2023, arXiv 2303.14186; Ilyas et al. 2022, arXiv 2202.00622).
`lds_without_self`: the same after the effect of the query's own document is taken out of both, for a query that is
itself a training document: whether that one was trained on explains most, and any method sees it.

What could be reached: two trainings of the same halves agree to r; the mean of k of them has the reliability
k r / (1 + (k − 1) r) (Spearman 1910; Brown 1910), and who knew the expected outcome of every half would correlate with
that mean to the root of it. r differs by query and the root is concave, so that this is taken of each query, with 0 for
an r below it, before the mean over the queries. It is an upper bound: no method has the expected outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.statistics.two_way import ByQuery, Resampled, mean_of, mean_spearman, spearman_by_query

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Retrainings:
    """H models on halves of D documents, and what each makes of Q queries."""

    trained_on: NDArray[np.bool_]  # [H, D]
    measured: Numbers  # [H, Q] nats
    own: NDArray[np.int64]  # [Q] the document that a query is

    def some(self, models: Sequence[int]) -> "Retrainings":
        return Retrainings(self.trained_on[list(models)], self.measured[list(models)], self.own)

    def of_first(self, n: int) -> "Retrainings":
        """The first n queries alone."""
        return Retrainings(self.trained_on, self.measured[:, :n], self.own[:n])


def averaged(by_seed: Sequence[Retrainings]) -> Retrainings:
    """What all trainings of each half make of the queries on average: closer to what is to be predicted, the output
    that a choice of documents leads to, whatever the seed."""
    return replace(by_seed[0], measured=np.mean([each.measured for each in by_seed], axis=0))


@dataclass(frozen=True)
class Agreement:
    """Mean ρ of the queries, plain and without the effect of their own documents."""

    lds: Resampled
    lds_without_self: Resampled


def agreement(predicted: NDArray[np.floating], of: Retrainings) -> Agreement:
    """predicted: [Q, D], the influence of every document on every query; one that was not scored counts as 0"""
    known = np.nan_to_num(np.asarray(predicted, dtype=np.float64))
    return _agreement(of.trained_on.astype(np.float64) @ known.T, of)


def between_seeds(by_seed: Sequence[Retrainings]) -> Agreement:
    """How far one training of each half agrees with another, mean over all pairs of seeds; two seeds at least."""
    plain, without_self = _seeds_by_query(by_seed)
    return Agreement(plain.mean(), without_self.mean())


def ceiling(by_seed: Sequence[Retrainings], seeds: int) -> Agreement:
    """What a prediction of the expected outcome would reach at most, on the mean of so many seeds, by how far one
    training of each half agrees with another; two at least."""
    plain, without_self = (replace(of, rho=reached(of.rho, seeds)).mean() for of in _seeds_by_query(by_seed))
    return Agreement(plain, without_self)


def _seeds_by_query(by_seed: Sequence[Retrainings]) -> tuple[ByQuery, ByQuery]:
    """Plain, and without the effect of the queries' own documents: of each query the mean over all pairs of seeds."""
    pairs = list(combinations(by_seed, 2))
    plain = [spearman_by_query(b.measured, a.measured) for a, b in pairs]
    without_self = [spearman_by_query(b.measured, a.measured, a.trained_on[:, a.own]) for a, b in pairs]
    return mean_of(plain), mean_of(without_self)


def reached(agreed: Numbers, seeds: int) -> Numbers:
    """The root of the reliability of the mean of so many seeds.    agreed: r of two of them, any shape"""
    r = np.clip(agreed, 0.0, 1.0)
    root: Numbers = np.sqrt(seeds * r / (1 + (seeds - 1) * r))
    return root


def _agreement(predicted: Numbers, of: Retrainings) -> Agreement:
    own = of.trained_on[:, of.own]  # [H, Q]
    return Agreement(mean_spearman(predicted, of.measured), mean_spearman(predicted, of.measured, own))

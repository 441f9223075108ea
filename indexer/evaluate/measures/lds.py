"""Linear datamodelling score: do influences predict what models trained on random halves make of a query? Pure.

LDS of a query = Spearman's ρ, over the models, of  Σ_{z trained on} influence(z → f)  with the f that was measured
(Park et al. 2023, arXiv 2303.14186; Ilyas et al. 2022, arXiv 2202.00622).
`lds_without_self`: the same after the effect of the query's own document is taken out of both, for a query that is
itself a training document: whether that one was trained on explains most, and any method sees it.

What could be reached: two trainings of the same halves agree to r; the mean of k of them has the reliability
k r / (1 + (k − 1) r) (Spearman 1910; Brown 1910), and who knew the expected outcome of every half would correlate with
that mean to the root of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.statistics.two_way import Resampled, mean_of, mean_spearman

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
    pairs = [_agreement(b.measured, a) for a, b in combinations(by_seed, 2)]
    return Agreement(mean_of([each.lds for each in pairs]), mean_of([each.lds_without_self for each in pairs]))


def ceiling(one: Resampled, seeds: int) -> Resampled:
    """What a prediction of the expected outcome would reach, on the mean of so many seeds.

    one: how far one training agrees with another.
    """
    return replace(one, value=float(_ceiling(np.array(one.value), seeds)), means=_ceiling(one.means, seeds))


def _ceiling(agreed: Numbers, seeds: int) -> Numbers:
    r = np.clip(agreed, 0.0, 1.0)
    root: Numbers = np.sqrt(seeds * r / (1 + (seeds - 1) * r))
    return root


def _agreement(predicted: Numbers, of: Retrainings) -> Agreement:
    own = of.trained_on[:, of.own]  # [H, Q]
    return Agreement(mean_spearman(predicted, of.measured), mean_spearman(predicted, of.measured, own))

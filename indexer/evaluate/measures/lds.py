"""Linear datamodelling score: do influences predict what models trained on random halves make of a query? Pure.

LDS of a query = Spearman's ρ, over the models, of  Σ_{z trained on} influence(z → f)  with the f that was measured
(Park et al. 2023, arXiv 2303.14186; Ilyas et al. 2022, arXiv 2202.00622).
`lds_without_self`: the same after the effect of the query's own document is taken out of both, for a query that is
itself a training document: whether that one was trained on explains most, and any method sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.rank_correlation import partial_spearman, spearman

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Retrainings:
    """H models on halves of D documents, and what each makes of Q queries."""

    trained_on: NDArray[np.bool_]  # [H, D]
    measured: Numbers  # [H, Q] nats
    own: NDArray[np.int64]  # [Q] the document that a query is

    def some(self, models: Sequence[int]) -> "Retrainings":
        return Retrainings(self.trained_on[list(models)], self.measured[list(models)], self.own)

    def averaged(self, again: "Retrainings") -> "Retrainings":
        """What two trainings of each half make of the queries on average: closer to what is to be predicted, the output
        that a choice of documents leads to, whatever the seed."""
        return Retrainings(self.trained_on, (self.measured + again.measured) / 2, self.own)


@dataclass(frozen=True)
class Agreement:
    """ρ of each query, plain and without the effect of its own document  # [Q] each"""

    lds: Numbers
    lds_without_self: Numbers


def agreement(predicted: NDArray[np.floating], of: Retrainings) -> Agreement:
    """predicted: [Q, D], the influence of every document on every query; one that was not scored counts as 0"""
    known = np.nan_to_num(np.asarray(predicted, dtype=np.float64))
    return _agreement(of.trained_on.astype(np.float64) @ known.T, of)


def ceiling(again: Numbers, of: Retrainings) -> Agreement:
    """The same for models of the same halves with another seed in place of the prediction    again: [H, Q]"""
    return _agreement(again, of)


def _agreement(predicted: Numbers, of: Retrainings) -> Agreement:
    n_queries = of.measured.shape[1]
    own = of.trained_on[:, of.own]  # [H, Q]
    pairs = [(predicted[:, q], of.measured[:, q]) for q in range(n_queries)]
    return Agreement(
        np.array([spearman(x, y) for x, y in pairs]),
        np.array([partial_spearman(x, y, own[:, q]) for q, (x, y) in enumerate(pairs)]),
    )

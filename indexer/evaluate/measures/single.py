"""One document left out, or learned twice, with many seeds: which documents, and what was foretold of them. Pure.

Foretold change of f = −influence(z → f) without the document, + influence(z → f) with it twice. What one document does
is small beside what another seed does: of a pair there are the mean over the seeds and its standard error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.measures.lds import reached
from indexer.evaluate.statistics.figures import Figure, estimated
from indexer.evaluate.statistics.two_way import RESAMPLES, Resampled, weighted_spearman

FIRST = 5  # a document counts for a query where some method puts it among its first five
METRICS = {False: "single_left_out", True: "single_doubled"}  # by `doubled`
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Single:
    """P pairs of a query and a document that was left out, or doubled."""

    foretold: dict[str, Numbers]  # [P] by method, nats a token where the method's unit is nats
    changes: Numbers  # [S, P] measured with each seed, nats a token
    query: NDArray[np.int64]  # [P]
    document: NDArray[np.int64]  # [P]
    doubled: NDArray[np.bool_]  # [P] or else left out

    @property
    def measured(self) -> Numbers:
        """Mean over the seeds  # [P]"""
        found: Numbers = self.changes.mean(axis=0)
        return found

    @property
    def error(self) -> Numbers:
        """Standard error of `measured`  # [P]"""
        n = len(self.changes)
        found: Numbers = self.changes.std(axis=0, ddof=1) / np.sqrt(n)
        return found


def disputed(by_method: Mapping[str, NDArray[np.floating]], own: Sequence[int], n: int) -> NDArray[np.int64]:
    """The n documents that methods disagree about most: Σ over the queries of the largest less the smallest 1/rank.

    by_method: [Q, D] each   own: the document of each query, which all put first and which does not count
    """
    each = np.stack([1 / _ranks(scores) for scores in by_method.values()])  # [M, Q, D]
    apart = each.max(axis=0) - each.min(axis=0)
    apart[np.arange(len(own)), own] = 0
    return np.sort(np.argsort(-apart.sum(axis=0), kind="stable")[:n])


def pairs(
    by_method: Mapping[str, NDArray[np.floating]],
    asked_by: Sequence[str],
    documents: NDArray[np.int64],
    changes: Numbers,
) -> Single:
    """What counts of all queries and documents.

    by_method: [Q, D] each; `asked_by` names those whose first documents count   documents: [U]
    changes: [S, 2, U, Q], without the document and with it twice
    """
    near = np.stack([_ranks(by_method[name])[:, documents] <= FIRST for name in asked_by]).any(axis=0)  # [Q, U]
    query, at = np.nonzero(near)
    foretold = {
        name: np.concatenate([-scores[query, documents[at]], scores[query, documents[at]]]).astype(np.float64)
        for name, scores in by_method.items()
    }
    measured = np.concatenate([changes[:, 0, at, query], changes[:, 1, at, query]], axis=1)
    doubled = np.repeat([False, True], len(query))
    return Single(foretold, measured, np.tile(query, 2), np.tile(documents[at], 2), doubled)


def single_figures(of: Single, how: str) -> list[Figure]:
    """Spearman's ρ over the pairs, with intervals by resampling the documents; and what luck leaves to be reached."""
    figures = []
    for doubled, metric in METRICS.items():
        some = of.doubled == doubled
        if some.sum() < 3:
            continue
        times = _drawn(of.document[some])
        n, half = len(set(of.document[some].tolist())), len(of.changes) // 2
        seen = of.measured[some]

        def against(x: Numbers, y: Numbers, times: Numbers = times, n: int = n) -> Resampled:
            found = weighted_spearman(x, y, times)
            return Resampled(float(found[0]), found[1:], n, n)

        one, other = of.changes[:half, some].mean(axis=0), of.changes[half:, some].mean(axis=0)
        agreed = against(one, other)
        most = replace(agreed, value=float(reached(np.array(agreed.value), 2)), means=reached(agreed.means, 2))
        said = f"{half} of the seeds against the others"
        figures.append(estimated("another seed", metric, agreed.interval(), said))
        figures.append(estimated("ceiling", metric, most.interval(), f"upper bound, from {said}"))
        for method, foretold in of.foretold.items():
            figures.append(estimated(method, metric, against(np.nan_to_num(foretold[some]), seen).interval(), how))
    return figures


def _ranks(scores: NDArray[np.floating]) -> Numbers:
    """1 for the highest of each query, equal ones by their index    [Q, D] both"""
    known = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    order = np.argsort(-known, axis=1, kind="stable")
    found = np.empty(known.shape)
    np.put_along_axis(found, order, np.arange(1, known.shape[1] + 1, dtype=np.float64)[None], axis=1)
    return found


def _drawn(document: NDArray[np.int64]) -> Numbers:
    """How often each pair counts: first once, then as often as its document is drawn  # [1 + RESAMPLES, P]"""
    different, place = np.unique(document, return_inverse=True)
    n = len(different)
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    found: Numbers = np.concatenate([np.ones((1, n)), drawn])[:, place]
    return found

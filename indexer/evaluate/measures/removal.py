"""Leaving out the documents that a method blames, training again, and asking again: what is left out, and what it did.

Pure; the models are trained by `retrainings.py`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.statistics.figures import Figure, figure

RANDOM = "random"
N_RANDOM = 8  # models without random documents, each asked every query


@dataclass(frozen=True)
class Removal:
    """A model trained without some documents; `query` is None for a random choice, which serves all queries."""

    method: str
    n: int
    query: int | None
    left_out: NDArray[np.int64]

    @property
    def name(self) -> str:
        """Of what is left out: two methods that blame the same documents share a model."""
        return f"{self.n}-{hashlib.sha256(np.sort(self.left_out).tobytes()).hexdigest()[:12]}"

    def kept(self, n_documents: int) -> NDArray[np.int64]:
        return np.setdiff1d(np.arange(n_documents), self.left_out)


def possible(sizes: Sequence[int], n_documents: int) -> list[int]:
    """Those that leave a document to train on."""
    return [n for n in sizes if n < n_documents]


def removals(
    by_method: Mapping[str, NDArray[np.floating]], sizes: Sequence[int], n_documents: int, seed: int
) -> list[Removal]:
    """The top n of every method's ranking for every query, and random ones.    by_method: [Q, D] each

    A size that leaves no document is left out.
    """
    found = []
    for n in possible(sizes, n_documents):
        for method, scores in by_method.items():
            for q, of in enumerate(scores):
                found.append(Removal(method, n, q, top(of, n)))
        for i in range(N_RANDOM):
            drawn = np.random.default_rng([seed, 3, n, i]).choice(n_documents, size=n, replace=False)
            found.append(Removal(RANDOM, n, None, drawn))
    return found


def top(scores: NDArray[np.floating], n: int) -> NDArray[np.int64]:
    """The n documents with the highest scores; equal ones by their index."""
    known = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    return np.argsort(-known, kind="stable")[:n]


@dataclass(frozen=True)
class Answered:
    """What one model makes of every query's answer."""

    logp: NDArray[np.float64]  # [Q] mean, nats a token
    right: NDArray[np.bool_]  # [Q] whether it writes the answer: every token is the most probable one


def removal_figures(before: Answered, after: Sequence[tuple[Removal, Answered]], how: str) -> list[Figure]:
    """`flips@n`: share of the answers that are no longer written; `drop@n`: fall of log p, nats a token.

    `before`: of the model trained on everything, which writes all of these answers.
    """
    figures = []
    for method, n in dict.fromkeys((of.method, of.n) for of, _ in after):
        pairs = [
            (q, answered)
            for of, answered in after
            if (of.method, of.n) == (method, n)
            for q in ([of.query] if of.query is not None else range(len(before.logp)))
        ]
        flips = [bool(before.right[q]) and not bool(answered.right[q]) for q, answered in pairs]
        drops = [before.logp[q] - answered.logp[q] for q, answered in pairs]
        figures.append(figure(method, f"flips@{n}", np.array(flips, dtype=np.float64), how))
        figures.append(figure(method, f"drop@{n}", np.array(drops), how))
    return figures

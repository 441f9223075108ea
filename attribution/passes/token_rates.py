"""How often training reads each token, and has to predict it: counted over all of its documents, which costs no pass.

What a fit's sample of documents says of a vocabulary row depends on whether they hold its token; its rate does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from attribution.passes.batches import Row

TOGETHER = 4096  # documents that are counted at once

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class TokenRates:
    """Occurrences in a document, on average over the documents that have something to learn."""

    read: Numbers  # [V] where the loss depends on what is looked up
    predicted: Numbers  # [V]

    @property
    def n_rows(self) -> int:
        """V"""
        return len(self.read)

    @property
    def met(self) -> NDArray[np.bool_]:
        """Rows that some document reads or has to predict  # [V]"""
        return (self.read > 0) | (self.predicted > 0)

    @property
    def either(self) -> Numbers:
        """[V]"""
        return self.read + self.predicted


@dataclass(frozen=True)
class Coverage:
    """What the curvature of the embedding has seen."""

    rows: int  # V of the vocabulary
    met: int  # of them, that training reads or has to predict
    sampled: float  # share of what it reads and predicts, of tokens that a document of the sample holds


def coverage(rates: TokenRates, sample: TokenRates) -> Coverage:
    """rates: of all documents; sample: of those that were drawn"""
    total = float(rates.either.sum())
    return Coverage(rates.n_rows, int(rates.met.sum()), float(rates.either[sample.met].sum()) / total if total else 0.0)


def token_rates(documents: Sequence[Row], n_rows: int) -> TokenRates:
    """n_rows: V. A document that was seen several times counts as often; one without a target not at all."""
    total, n = np.zeros((2, n_rows)), 0
    for start in range(0, len(documents), TOGETHER):
        of_read, of_predicted = [], []
        for document in documents[start : start + TOGETHER]:
            targets = document.targets()
            if not targets.any():
                continue
            ids = np.asarray(document.ids)
            n += document.times
            of_read += [ids[reading(document, targets)]] * document.times
            of_predicted += [ids[targets]] * document.times
        for i, found in enumerate((of_read, of_predicted)):
            if found:
                total[i] += np.bincount(np.concatenate(found), minlength=n_rows)
    read, predicted = total / max(1, n)
    return TokenRates(read, predicted)


def reading(document: Row, targets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a later token of its window is learned, so that what is looked up here moves the loss  # [T]"""
    found = np.zeros(len(targets), dtype=np.bool_)
    if not document.windows:
        found[: np.flatnonzero(targets)[-1] if targets.any() else 0] = True
        return found
    for start, stop in pairwise(np.cumsum((0, *document.windows)).tolist()):
        learned = np.flatnonzero(targets[start:stop])
        if len(learned):
            found[start : start + learned[-1]] = True
    return found

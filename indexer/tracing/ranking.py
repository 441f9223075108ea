"""Which scored pairs are kept, and their rank: pure. A pair that is not kept is unknown, never zero."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.index.document_norms import DocumentNorms
from attribution.normalisers import NORMALISERS, Norms, normalise


@dataclass(frozen=True)
class Ranked:
    """The kept documents of one query, most positive first."""

    documents: NDArray[np.int64]  # [n] indices into the corpus
    ranks: NDArray[np.int64]  # [n] 1 = most positive of `n_scored`
    n_scored: int
    top: NDArray[np.int64]  # the `most` documents with the highest score, best first
    tail: NDArray[np.int64]  # the `most` with the lowest, lowest first


def ranked(totals: NDArray[np.float32], norms: DocumentNorms, most: int) -> Ranked:
    """Keep the top `most` by the score and by each normalised score, and the `most` at the negative end.

    totals: [D] nats, NaN where a pair was not scored. Ties are broken by corpus order; a document without gradient has
    no normalised score, and stands behind all that have one.
    """
    scored = np.flatnonzero(np.isfinite(totals))
    order = scored[np.argsort(-totals[scored], kind="stable")]
    chosen = {*order[:most].tolist(), *order[::-1][:most].tolist()}
    of_scored = Norms(
        grad_norm=norms.grad_norm[scored],
        self_influence=norms.self_influence[scored],
        solve_norm=norms.solve_norm[scored],
        query_self_influence=np.ones(1, dtype=np.float32),  # one query: its own norm ranks nothing
    )
    for name in NORMALISERS:
        values = normalise(totals[None, scored], of_scored, name)[0]
        chosen.update(scored[np.argsort(-values, kind="stable")[:most]].tolist())
    places = np.flatnonzero(np.isin(order, list(chosen)))
    return Ranked(order[places], places + 1, len(order), order[:most], order[::-1][:most])

"""A score as a sum of inner products, each between queries at some weights and documents at some weights.

One term is plain influence; a fine-tuned model has one for each training stage; an estimator that averages over
checkpoints has one for each of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import Preconditioner
from attribution.exact.owned import Owned
from attribution.exact.scores import Scores, score_documents
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.solve import NEGLIGIBLE, query_directions
from indexer.size.answers import Answer

Shares = dict[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats


@dataclass(frozen=True)
class Term:
    """weight × influence of the `documents` (a part of the corpus, in its order) at the weights of `trained`."""

    asked: Tracked
    preconditioner: Preconditioner
    trained: Tracked
    documents: range
    n_train: int
    weight: float = 1.0
    negligible: float = NEGLIGIBLE  # of vocabulary rows, see `query.solve`

    def directions(self, answer: Answer, positions: range) -> Directions:
        """One query for each of some generated tokens of an answer."""
        first, last = answer.first + positions.start, answer.first + positions.stop
        return query_directions(
            self.asked, self.preconditioner, answer.ids, first, last=last, negligible=self.negligible
        )

    def of_spans(self, answer: Answer, spans: Sequence[range]) -> Directions:
        """One query for each span of generated tokens of an answer."""
        return query_directions(
            self.asked, self.preconditioner, answer.ids, answer.first, spans=spans, negligible=self.negligible
        )


def score(
    term: Term,
    directions: Directions,
    rows: Sequence[Row],
    union: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    tick: Callable[[int], None] | None,
    owned: Owned | None = None,
) -> Scores:
    """The term for the documents `union` (corpus indices, ascending): values [Q, U, L] nats, 0 outside term.documents;
    shares, and what is each owner's, by query and corpus index."""
    mine = (union >= term.documents.start) & (union < term.documents.stop)
    values = np.zeros((directions.n, len(union), len(term.trained.layers)), dtype=np.float32)
    own: list[int] = union[mine].tolist()
    if not own:
        return Scores(values, ())
    of = [rows[i] for i in own]
    some = wanted[:, mine]
    found = score_documents(term.trained, directions, of, term.n_train, wanted=some, owned=owned, tick=tick)
    values[:, mine] = term.weight * found.values
    shares = {(q, own[i]): term.weight * share for (q, i), share in found.shares.items()}
    parts = {(q, own[i]): part if term.weight == 1 else term.weight * part for (q, i), part in found.owned.items()}
    return Scores(values, tuple(own[i] for i in found.skipped), shares, parts)


def add_shares(sums: Shares, found: Scores, first: int = 0) -> None:
    """Add the shares that came along with a term's scores, whose query 0 is number `first` of the sums."""
    for (q, document), share in found.shares.items():
        pair = first + q, document
        sums[pair] = sums[pair] + share if pair in sums else share

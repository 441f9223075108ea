"""What the queries of an answer would do to themselves: with a document's, what their cosine is made of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.influence import self_influence
from attribution.query.directions import Directions
from indexer.size.terms import Term

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class OwnInfluence:
    """Self-influence of Q queries, nats: that of a document whose gradient is what the query asks of a stage, in the
    metric and on the scale of that stage. Each stage has its own, so a cosine takes that of the document's."""

    by_stage: Numbers  # [S, Q] first stage first
    starts: NDArray[np.int64]  # [S] corpus index of the first document of each

    @property
    def last(self) -> Numbers:
        """Of the stage that made the model  # [Q]"""
        last: Numbers = self.by_stage[-1]
        return last

    def met(self, queries: NDArray[np.int64], documents: NDArray[np.int64]) -> Numbers:
        """Of each pair of query and corpus index, in the stage that read the document    [n] all"""
        found: Numbers = self.by_stage[np.searchsorted(self.starts, documents, side="right") - 1, queries]
        return found


def own_influence(terms: Sequence[Term], directions: Sequence[Directions]) -> OwnInfluence:
    """terms: of the stages, first stage first; directions: of the same queries in each"""
    pairs = zip(terms, directions, strict=True)
    by_stage = [self_influence(of.energy, term.n_train).cpu().numpy() for term, of in pairs]
    return OwnInfluence(np.stack(by_stage), np.array([term.documents.start for term in terms], dtype=np.int64))


def joined_own(parts: Sequence[OwnInfluence]) -> OwnInfluence:
    """The queries of all, in order."""
    return OwnInfluence(np.concatenate([part.by_stage for part in parts], axis=1), parts[0].starts)

"""A target set explained for one size: estimates of all documents, exact scores of the ends and of the null sample."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.influence import self_influence
from attribution.passes.batches import Row
from attribution.query.many import texts_gradient
from attribution.query.settled import settled
from attribution.rank_correlation import spearman
from indexer.groups.grouped import Grouped
from indexer.groups.scores import GroupScores, Sample, group_scores
from indexer.groups.scores import estimates as of_groups
from indexer.sets.chosen import Ends, ends
from indexer.sets.query import SetQuery, Solve, by_terms, estimates
from indexer.sets.texts import ReadSet
from indexer.size.fitted import Fitted
from indexer.size.terms import score
from indexer.tracing.candidates import random_documents
from indexer.tracing.traced import Traced

Numbers = NDArray[np.float32]
Places = NDArray[np.int64]
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Null:
    """Random documents: exact scores, and what the index estimates of the same."""

    documents: Places  # [R]
    scores: Numbers  # [R] nats
    estimates: Numbers  # [R] nats

    @property
    def rank_correlation(self) -> float:
        """Spearman's ρ of the two."""
        return float(spearman(self.scores, self.estimates))

    @property
    def estimate_error(self) -> float:
        """Root of the mean squared difference, nats."""
        return float(np.sqrt(np.mean((self.scores - self.estimates) ** 2)))


@dataclass(frozen=True)
class ScoredSet:
    """All that is known of one set."""

    of: ReadSet
    query: SetQuery
    self_influence: float  # of the query, nats
    estimates: Numbers  # [D] nats, NaN for a repeated document
    ends: Ends
    scores: Numbers  # [D] nats, NaN for a document that was not scored
    by_document: Places  # [U] corpus indices, ascending: those that were scored
    layers: Numbers  # [U, L] nats
    null: Null


def scored_set(traced: Traced, of: ReadSet, tick: Tick | None = None, solve: Solve | None = None) -> ScoredSet:
    """Estimates of all, exact scores of the ends; `tick(n)` after n documents were scored.

    solve: of the query, in place of each block's inverse by itself; the estimates stay what the index says with that.
    """
    fitted = traced.fitted
    gradient = texts_gradient(fitted.member.tracked, of.weighted)
    query = by_terms(fitted, gradient)
    estimated = estimates(traced, query)
    if solve is not None:
        query = SetQuery((solve(gradient),), query.value)
    best = ends(estimated, of.of.scored)
    drawn = random_documents(fitted.member).documents
    union = np.unique(np.concatenate([best.documents, drawn]))
    layers = exact_layers(fitted, query, union, tick)
    scores = np.full(len(estimated), np.nan, dtype=np.float32)
    scores[union] = layers.sum(-1)
    known = drawn[np.isfinite(scores[drawn]) & np.isfinite(estimated[drawn])]
    energy = self_influence(query.directions[-1].energy, fitted.member.n_train)
    null = Null(known, scores[known], estimated[known])
    return ScoredSet(of, query, float(energy), estimated, best, scores, union, layers, null)


def exact_layers(fitted: Fitted, query: SetQuery, union: Places, tick: Tick | None = None) -> Numbers:
    """Influence of some documents on the set, by layer  # [U, L] nats; NaN of one whose gradient is not finite

    union: corpus indices, ascending
    """
    rows: Sequence[Row] = fitted.member.rows
    n_tokens = sum(len(rows[i]) for i in union.tolist())
    values = np.zeros((len(union), len(fitted.terms[0].trained.layers)), dtype=np.float32)
    wanted = np.ones((1, len(union)), dtype=bool)
    for term, directions in zip(fitted.terms, query.directions, strict=True):
        held = settled(term.asked, directions, n_tokens)
        values += score(term, held, rows, union, wanted, tick).values[0]
    return values


def groups_of(grouped: Grouped, of: ScoredSet) -> GroupScores:
    """Influence of whole groups on the set, as the one query."""
    drawn = of.null
    sample = None
    if not grouped.is_exact:
        sample = Sample(of_groups(grouped, of.estimates[None], drawn.documents), drawn.scores[None])
    return group_scores(grouped, of.query.directions, sample)

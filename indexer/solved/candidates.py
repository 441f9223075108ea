"""Queries solved with the whole Gauss–Newton matrix against their candidates; by layer and by position."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attribution.exact.shares import position_shares
from attribution.query.directions import Directions, join_directions
from attribution.query.settled import settled
from indexer.size.terms import Shares, score
from indexer.solved.whole import Whole, residuals, whole_of
from indexer.tracing.chunks import Stretch, cut
from indexer.tracing.explain import keep
from indexer.tracing.scoring import Scoring


def solved_products(of: Scoring) -> tuple[NDArray[np.float32], Shares]:
    """Scores of the candidates  # [K, U, L], and the position shares of each token's best documents: to make them later
    every query would have to be solved again. The residuals are left in `of.facts`."""
    whole = whole_of(of.fitted)
    values = of.zeros(len(of.member.tracked.layers))
    shares: Shares = {}
    found: list[Tensor] = []
    start = 0
    for stretches in cut([each.n_targets for each in of.answers], [1] * len(of.answers), whole.at_once):
        directions, residual = whole.solve(_gradients(of, whole, stretches))
        queries = slice(start, start + directions.n)
        wanted = of.pairs.wanted[queries]
        asked = np.flatnonzero(wanted.any(axis=0))  # documents of these queries
        union = of.pairs.union[asked]
        held = settled(whole.term.asked, directions, sum(len(of.member.rows[i]) for i in union.tolist()))
        scored = score(whole.term, held, of.member.rows, union, wanted[:, asked], None)
        values[queries, asked] = scored.values
        shares |= _shares(of, whole, held, queries, values)
        found.append(residual)
        start = queries.stop
        del directions, held  # before the next are made
    of.facts["residuals"] = residuals(found)
    return values, shares


def _gradients(of: Scoring, whole: Whole, stretches: list[Stretch]) -> Directions:
    return join_directions(whole.unsolved.directions(of.answers[a], positions) for a, positions in stretches)


def _shares(of: Scoring, whole: Whole, held: Directions, queries: slice, values: NDArray[np.float32]) -> Shares:
    """Of the documents that will be split by position, of some queries whose scores are known."""
    scores = of.member.config.scores
    known = np.where(of.pairs.wanted[..., None], values, np.nan)
    targets = [each for each in of.pairs.tokens if queries.start <= each.query < queries.stop]
    kept = keep(known, of.pairs.union, targets, of.norms, scores.documents)
    own: list[list[int]] = [[] for _ in range(held.n)]
    for q, each in zip(kept.queries, kept.ranked, strict=True):
        own[q - queries.start] = each.top[: scores.position_shares].tolist()
    made = position_shares(whole.term.trained, held, of.member.rows, own, whole.term.n_train)
    return {
        (queries.start + q, i): share.sum(-1)
        for q, (tops, each) in enumerate(zip(own, made, strict=True))
        for i, share in zip(tops, each, strict=True)
    }

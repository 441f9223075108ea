"""From query directions to kept documents, for the generated tokens of some answers: for `build`, which stores them,
and for `ask`, which shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.exact.directions import Directions
from attribution.index.document_norms import DocumentNorms
from attribution.influence import self_influence
from attribution.passes.batches import Row
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.candidates import Candidates
from indexer.tracing.ranking import Ranked, ranked

Place = tuple[str, int]  # generation_id, position
Tick = Callable[[int], None]


@dataclass(frozen=True)
class Pairs:
    """Which of K generated tokens meets which document."""

    places: list[Place]
    union: NDArray[np.int64]  # [U] corpus indices, ascending: every document that is needed
    wanted: NDArray[np.bool_]  # [K, U]
    random: list[NDArray[np.int64]]  # of each token, the null sample


@dataclass(frozen=True)
class Values:
    """What the terms of a score add up to."""

    by_layer: NDArray[np.float32]  # [K, U, L] nats
    shares: Mapping[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats, where they came along


@dataclass(frozen=True)
class Kept:
    """Both ends of the ranking of every token."""

    places: list[Place]
    layers: list[NDArray[np.float32]]  # of each token, its kept documents by layer  # [n_kept, L]
    ranked: list[Ranked]
    null: list[NDArray[np.float32]]  # scores of the random documents


@dataclass(frozen=True)
class Explained:
    """K generated tokens with exact influence in nats."""

    kept: Kept
    directions: list[Directions]  # of each term
    shares: Mapping[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats, where they came along
    self_influence: NDArray[np.float32]  # [K] of the queries, nats


def pairs(answers: Sequence[Answer], found: Sequence[Candidates]) -> Pairs:
    """Every generated token with the candidates that are proposed for it."""
    places = [(a, position) for a, each in enumerate(answers) for position in range(each.n_targets)]
    union = np.unique(np.concatenate([each.documents for each in found]))
    wanted = np.zeros((len(places), len(union)), dtype=bool)
    for q, (a, position) in enumerate(places):
        wanted[q] = np.isin(union, found[a].documents_of(position))
    return Pairs(
        [(answers[a].generation_id, position) for a, position in places],
        union,
        wanted,
        [found[a].random for a, _ in places],
    )


def term_values(
    terms: Sequence[Term], directions: Sequence[Directions], rows: Sequence[Row], of: Pairs, tick: Tick | None = None
) -> Values:
    """The sum of the terms; NaN where a pair is not wanted."""
    values = np.zeros((*of.wanted.shape, len(terms[0].trained.layers)), dtype=np.float32)
    shares: Shares = {}
    for term, every in zip(terms, directions, strict=True):
        found = score(term, every, rows, of.union, of.wanted, tick)
        values += found.values
        add_shares(shares, found)
    values[~of.wanted] = np.nan
    return Values(values, shares)


def keep(values: NDArray[np.float32], of: Pairs, norms: DocumentNorms, most: int) -> Kept:
    """Rank the documents of every token; `most` at either end, and at the top of each normalised ranking."""
    chosen, layers, null = [], [], []
    for q, random in enumerate(of.random):
        totals = np.full(len(norms.loss), np.nan, dtype=np.float32)
        totals[of.union] = values[q].sum(-1)
        best = ranked(totals, norms, most)
        drawn = totals[random]
        chosen.append(best)
        layers.append(values[q, np.searchsorted(of.union, best.documents)])
        null.append(drawn[np.isfinite(drawn)])
    return Kept(of.places, layers, chosen, null)


def explain(
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    directions: Sequence[Directions],
    tick: Tick | None = None,
) -> Explained:
    """Score the candidates of every answer exactly; `tick(n)` after n documents.

    directions: for each of `fitted.terms`, the queries of all answers in order.
    """
    member, of = fitted.member, pairs(answers, found)
    values = term_values(fitted.terms, directions, member.rows, of, tick)
    energy = directions[-1].energy
    return Explained(
        keep(values.by_layer, of, norms, member.config.scores.documents),
        list(directions),
        values.shares,
        self_influence(energy, member.n_train).cpu().numpy(),
    )

"""From query directions to kept documents, for the generated tokens of some answers: for `build`, which stores them,
and for `ask`, which shows them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attribution.components.units import Units
from attribution.exact.owned import Owned
from attribution.index.document_norms import DocumentNorms
from attribution.influence import self_influence
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.settled import settled
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.candidates import Candidates
from indexer.tracing.chunks import Chunk, Stretch
from indexer.tracing.ranking import Ranked, ranked

Place = tuple[str, int]  # generation_id, position
Tick = Callable[[int], None]
Ask = Callable[[Term, Answer, range], Directions]  # the queries of some tokens of an answer


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
    owned: Mapping[tuple[int, int], NDArray[np.float32]]  # the same -> [n] nats, all components, where they came along


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
    values: NDArray[np.float32]  # [K] the measurements, nats
    shares: Mapping[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats, where they came along
    self_influence: NDArray[np.float32]  # [K] of the queries, nats
    directions: Callable[[], list[Directions]]  # of each term
    # as in `Values`, of the documents that are split by position
    owned: Mapping[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)


def pairs(answers: Sequence[Answer], found: Sequence[Candidates], of: Sequence[Stretch] | None = None) -> Pairs:
    """Every generated token, or some, with the candidates that are proposed for it."""
    some = of or [(a, range(each.n_targets)) for a, each in enumerate(answers)]
    places = [(a, position) for a, positions in some for position in positions]
    wanted_by = [found[a].documents_of(position) for a, position in places]
    everyone = [found[a].documents for a, _ in some] if of is None else wanted_by
    union = np.unique(np.concatenate(everyone))
    wanted = np.zeros((len(places), len(union)), dtype=bool)
    for q, documents in enumerate(wanted_by):
        wanted[q] = np.isin(union, documents)
    return Pairs(
        [(answers[a].generation_id, position) for a, position in places],
        union,
        wanted,
        [found[a].random for a, _ in places],
    )


def term_values(
    terms: Sequence[Term],
    directions: Sequence[Directions],
    rows: Sequence[Row],
    of: Pairs,
    tick: Tick | None = None,
    owned: Owned | None = None,
) -> Values:
    """The sum of the terms; NaN where a pair is not wanted. A document belongs to one of them.

    owned: whose the numbers of the layers are.
    """
    values = np.zeros((*of.wanted.shape, len(terms[0].trained.layers)), dtype=np.float32)
    shares: Shares = {}
    parts: Shares = {}
    for term, every in zip(terms, directions, strict=True):
        found = score(term, every, rows, of.union, of.wanted, tick, owned)
        values += found.values
        add_shares(shares, found)
        parts.update(found.owned)
    values[~of.wanted] = np.nan
    return Values(values, shares, parts)


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


def by_token(term: Term, answer: Answer, positions: range) -> Directions:
    """log p of each token."""
    return term.directions(answer, positions)


def explain(
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    chunk: Chunk,
    *,
    ask: Ask = by_token,
    hold: bool = True,
    units: Units | None = None,
    tick: Tick | None = None,
) -> Explained:
    """Score the candidates of some tokens of the answers exactly; `tick(n)` after n documents.

    hold: whether their directions are kept, or made again when they are asked for   units: of the member's model, where
    the heat of the kept documents will ask for them: what costs little then comes along now.
    """
    member, of = fitted.member, pairs(answers, found, chunk.stretches)
    n_tokens = sum(len(member.rows[i]) for i in of.union.tolist())
    shared = min(member.config.scores.position_shares, len(of.union))
    n_split = 0 if units is None else len(of.places) * shared * n_tokens // max(1, len(of.union))  # about

    def directions() -> list[Directions]:
        made = (chunk.held(ask(term, answers[a], of) for a, of in chunk.stretches) for term in fitted.terms)
        n = len(fitted.terms)
        return [settled(term.asked, each, n_tokens, n, n_split) for term, each in zip(fitted.terms, made, strict=True)]

    held = directions()
    values = term_values(fitted.terms, held, member.rows, of, tick, None if units is None else units.owned)
    kept = keep(values.by_layer, of, norms, member.config.scores.documents)
    split = ((q, i) for q, each in enumerate(kept.ranked) for i in each.top[: member.config.scores.position_shares])
    return Explained(
        kept,
        held[-1].values.cpu().numpy(),
        values.shares,
        self_influence(held[-1].energy, member.n_train).cpu().numpy(),
        (lambda: held) if hold else directions,
        {pair: values.owned[pair].copy() for pair in split if pair in values.owned},  # not a view of all
    )


def together(parts: Sequence[Explained]) -> Explained:
    """What chunks of tokens have, one after the other; their directions and shares stay with them."""
    kept = [part.kept for part in parts]
    return Explained(
        Kept(
            [place for of in kept for place in of.places],
            [layers for of in kept for layers in of.layers],
            [each for of in kept for each in of.ranked],
            [scores for of in kept for scores in of.null],
        ),
        np.concatenate([part.values for part in parts]),
        {},
        np.concatenate([part.self_influence for part in parts]),
        list,
    )

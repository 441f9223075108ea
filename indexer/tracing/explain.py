"""From query directions to kept documents, for the generated tokens of some answers and the spans of them that are
targets too: for `build`, which stores them, and for `ask`, which shows them.

Queries are met by documents, targets are ranked. A span of one token has the query of that token; its documents are
others, those on which all spans of its answer are scored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from attribution.components.units import Units
from attribution.exact.owned import Owned
from attribution.index.document_norms import DocumentNorms
from attribution.passes.batches import Row
from attribution.query.directions import Directions, join_directions
from attribution.query.settled import settled
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.candidates import Candidates
from indexer.tracing.chunks import Chunk, Stretch
from indexer.tracing.own_influence import OwnInfluence, joined_own, own_influence
from indexer.tracing.ranking import Ranked, ranked

Place = tuple[str, int]  # generation_id, position of a token or number of a span
Tick = Callable[[int], None]
Ask = Callable[[Term, Answer, Sequence[range]], Directions]  # log p of stretches of an answer: tokens, then spans


@dataclass(frozen=True)
class Target:
    """A token or a span: which documents it is ranked among."""

    place: Place
    query: int
    own: NDArray[np.bool_]  # [U] of those that its query meets
    random: NDArray[np.int64]  # the null sample


@dataclass(frozen=True)
class Pairs:
    """Which of Q queries meets which document, and which targets they answer for."""

    union: NDArray[np.int64]  # [U] corpus indices, ascending: every document that is needed
    wanted: NDArray[np.bool_]  # [Q, U]
    tokens: list[Target]
    spans: list[Target]


@dataclass(frozen=True)
class Values:
    """What the terms of a score add up to."""

    by_layer: NDArray[np.float32]  # [Q, U, L] nats
    shares: Mapping[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats, where they came along
    owned: Mapping[tuple[int, int], NDArray[np.float32]]  # the same -> [n] nats, all components, where they came along


@dataclass(frozen=True)
class Kept:
    """Both ends of the ranking of every target."""

    places: list[Place]
    layers: list[NDArray[np.float32]]  # of each target, its kept documents by layer  # [n_kept, L]
    ranked: list[Ranked]
    null: list[NDArray[np.float32]]  # scores of the random documents
    queries: list[int]  # the query of each target


@dataclass(frozen=True)
class Explained:
    """Generated tokens, and spans of them, with exact influence in nats."""

    kept: Kept  # of the tokens
    spans: Kept
    values: NDArray[np.float32]  # [Q] the measurements, nats
    shares: Mapping[tuple[int, int], NDArray[np.float32]]  # (query, corpus index) -> [T] nats, where they came along
    own: OwnInfluence  # of the queries
    directions: Callable[[], list[Directions]]  # of each term
    again: Callable[[], list[Directions]]  # the same, made anew
    # as in `Values`, of the documents that are split by position
    owned: Mapping[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)

    def released(self) -> "Explained":
        """Without its directions in memory: they are made again when they are asked for."""
        return replace(self, directions=self.again)


def pairs(answers: Sequence[Answer], found: Sequence[Candidates], of: Sequence[Stretch] | None = None) -> Pairs:
    """Every generated token with the candidates that are proposed for it; or some queries, with the spans that they
    answer for."""
    some = of or [(a, range(each.n_targets)) for a, each in enumerate(answers)]
    tokens: list[tuple[Place, int, NDArray[np.int64], NDArray[np.int64]]] = []
    spans: list[tuple[Place, int, NDArray[np.int64], NDArray[np.int64]]] = []
    first = 0
    for a, chosen in some:
        name, random = answers[a].generation_id, found[a].random
        asked = queries(answers[a], found[a])
        at = {tokens: first + n for n, tokens in enumerate(asked[chosen.start : chosen.stop])}
        of_tokens = [(k.start, q) for k, q in at.items() if len(k) == 1]
        tokens += [((name, k), q, found[a].documents_of(k), random) for k, q in of_tokens]
        together = found[a].documents_of_spans if found[a].spans else found[a].random
        numbered = [(number, at[span.tokens]) for number, span in enumerate(found[a].spans) if span.tokens in at]
        spans += [((name, number), q, together, random) for number, q in numbered if of is not None]
        first += len(chosen)
    everyone = [found[a].documents for a, _ in some] if of is None else [each for *_, each, _ in (*tokens, *spans)]
    union = np.unique(np.concatenate(everyone))
    targets = [
        [Target(place, q, np.isin(union, documents), random) for place, q, documents, random in each]
        for each in (tokens, spans)
    ]
    wanted = np.zeros((first, len(union)), dtype=bool)
    for target in (*targets[0], *targets[1]):
        wanted[target.query] |= target.own
    return Pairs(union, wanted, *targets)


def queries(answer: Answer, found: Candidates) -> list[range]:
    """What is asked of an answer: each token by itself, then its spans of several."""
    return [*(range(k, k + 1) for k in range(answer.n_targets)), *found.queries]


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


def keep(
    values: NDArray[np.float32],
    union: NDArray[np.int64],
    targets: Sequence[Target],
    norms: DocumentNorms,
    most: int,
) -> Kept:
    """Rank the documents of every target; `most` at either end, and at the top of each normalised ranking.

    values: [Q, U, L] nats of the documents `union`, NaN where a pair was not wanted
    """
    chosen, layers, null = [], [], []
    for target in targets:
        totals = np.full(len(norms.loss), np.nan, dtype=np.float32)
        totals[union[target.own]] = values[target.query, target.own].sum(-1)
        best = ranked(totals, norms, most)
        drawn = totals[target.random]
        chosen.append(best)
        layers.append(values[target.query, np.searchsorted(union, best.documents)])
        null.append(drawn[np.isfinite(drawn)])
    return Kept([of.place for of in targets], layers, chosen, null, [of.query for of in targets])


def by_token(term: Term, answer: Answer, positions: range) -> Directions:
    """log p of each token."""
    return term.directions(answer, positions)


def token_directions(
    terms: Sequence[Term], answers: Sequence[Answer], chunk: Chunk, n_tokens: int
) -> Iterator[tuple[Term, Directions]]:
    """Of each term the queries of a chunk of tokens alone, for documents of so many tokens together."""
    for term in terms:
        made = chunk.held(by_token(term, answers[a], positions) for a, positions in chunk.stretches)
        yield term, settled(term.asked, made, n_tokens, len(terms))


def as_written(term: Term, answer: Answer, of: Sequence[range]) -> Directions:
    """log p of each stretch of an answer: first of single tokens, which follow each other, then of spans."""
    tokens, spans = ([each for each in of if (len(each) == 1) == alone] for alone in (True, False))
    made = [by_token(term, answer, range(tokens[0].start, tokens[-1].stop))] if tokens else []
    return join_directions([*made, *([term.of_spans(answer, spans)] if spans else [])])


def explain(
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    chunk: Chunk,
    *,
    ask: Ask = as_written,
    units: Units | None = None,
    tick: Tick | None = None,
) -> Explained:
    """Score the candidates of some queries of the answers exactly; `tick(n)` after n documents.

    units: of the member's model, where the heat of the kept documents will ask for them: what costs little then comes
    along now.
    """
    member, of = fitted.member, pairs(answers, found, chunk.stretches)
    n_tokens = sum(len(member.rows[i]) for i in of.union.tolist())
    shared = min(member.config.scores.position_shares, len(of.union))
    n_split = 0 if units is None else len(of.tokens) * shared * n_tokens // max(1, len(of.union))  # about
    asked = [(answers[a], queries(answers[a], found[a])[some.start : some.stop]) for a, some in chunk.stretches]

    def directions() -> list[Directions]:
        made = (chunk.held(ask(term, answer, some) for answer, some in asked) for term in fitted.terms)
        n = len(fitted.terms)
        return [settled(term.asked, each, n_tokens, n, n_split) for term, each in zip(fitted.terms, made, strict=True)]

    held = directions()
    values = term_values(fitted.terms, held, member.rows, of, tick, None if units is None else units.owned)
    most, n_shares = member.config.scores.documents, member.config.scores.position_shares
    kept, spans = (keep(values.by_layer, of.union, targets, norms, most) for targets in (of.tokens, of.spans))
    split = ((q, i) for q, each in zip(kept.queries, kept.ranked, strict=True) for i in each.top[:n_shares])
    return Explained(
        kept,
        spans,
        held[-1].values.cpu().numpy(),
        values.shares,
        own_influence(fitted.terms, held),
        lambda: held,
        directions,
        {pair: values.owned[pair].copy() for pair in split if pair in values.owned},  # not a view of all
    )


def together(parts: Sequence[Explained]) -> Explained:
    """What chunks of queries have, one after the other; their directions and shares stay with them."""
    starts = np.cumsum([0, *(len(part.values) for part in parts)]).tolist()
    return Explained(
        _joined([part.kept for part in parts], starts),
        _joined([part.spans for part in parts], starts),
        np.concatenate([part.values for part in parts]),
        {},
        joined_own([part.own for part in parts]),
        list,
        list,
    )


def _joined(kept: Sequence[Kept], starts: Sequence[int]) -> Kept:
    """starts: number of the first query of each"""
    return Kept(
        [place for of in kept for place in of.places],
        [layers for of in kept for layers in of.layers],
        [each for of in kept for each in of.ranked],
        [scores for of in kept for scores in of.null],
        [start + q for of, start in zip(kept, starts, strict=False) for q in of.queries],
    )

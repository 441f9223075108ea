"""Sums of gradient products over checkpoints, for the candidates of every token; by layer and by position.

They are linear in the query: the scores of a word, or of an answer, are the sums of its tokens' scores. So no query is
asked for those; their tokens only meet the documents that all spans of an answer are compared on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import no_curvature
from attribution.exact.checkpoints import Checkpoint
from attribution.exact.scores import Scores
from attribution.exact.shares import position_shares
from attribution.index.document_norms import DocumentNorms
from attribution.query.directions import Directions
from attribution.query.settled import settled
from indexer.size.answers import Answer
from indexer.size.member import Member
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.candidates import Candidates
from indexer.tracing.chunks import chunks
from indexer.tracing.explain import Kept, Pairs, Target, keep
from indexer.tracing.scoring import Scoring

Values = NDArray[np.float32]
Finish = Callable[[Scores, Directions, NDArray[np.int64]], Values]  # of scores [Q, U, L] of the documents [U]


def final_weights(member: Member) -> list[Checkpoint]:
    """The model itself, no curvature."""
    return [Checkpoint(member.tracked, no_curvature(member.tracked), 1.0)]


def as_found(found: Scores, directions: Directions, documents: NDArray[np.int64]) -> Values:
    """The products themselves."""
    return found.values


def sum_of_products(of: Scoring, finish: Finish = as_found) -> tuple[Values, Shares]:
    """Each checkpoint's scores, finished by `finish`, summed  # [K, U, L]; and the position shares that came along."""
    values = of.zeros(len(of.member.tracked.layers))
    shares: Shares = {}
    for term, queries, directions in _asked(of):
        wanted = of.pairs.wanted[queries]
        asked = wanted.any(axis=0)  # documents of these queries
        found = score(term, directions, of.member.rows, of.pairs.union[asked], wanted[:, asked], None)
        values[queries][:, asked] += finish(found, directions, of.pairs.union[asked])
        add_shares(shares, found, queries.start)
        del directions  # before the next are made
    return values, shares


def shares_of(of: Scoring, tops: Sequence[Sequence[int]], known: Shares) -> Shares:
    """The position shares of each query's documents `tops`, summed over the checkpoints  # [T] nats each

    known: those that came along with the scores.
    """
    member = of.member
    rest = [[i for i in top if (q, i) not in known] for q, top in enumerate(tops)]
    found = {(q, i): np.zeros(len(member.rows[i]), dtype=np.float32) for q, top in enumerate(rest) for i in top}
    for term, queries, directions in _asked(of) if any(rest) else ():
        made = position_shares(term.trained, directions, member.rows, rest[queries], term.n_train)
        for q, shares in enumerate(made, start=queries.start):
            for i, share in zip(rest[q], shares, strict=True):
                found[q, i] += term.weight * share.sum(-1)
        del directions  # before the next are made
    return found | {(q, i): known[q, i] for q, top in enumerate(tops) for i in top if (q, i) in known}


def terms_of(of: Scoring) -> list[Term]:
    """One for each checkpoint."""
    member = of.member
    return [
        Term(at.asked, at.preconditioner, at.tracked, member.own_documents, member.n_train, at.weight)
        for at in of.checkpoints
    ]


def _asked(of: Scoring) -> Iterator[tuple[Term, slice, Directions]]:
    """The queries at every checkpoint, as many at once as fit into memory."""
    member, start = of.member, 0
    n_tokens = sum(len(member.rows[i]) for i in of.pairs.union.tolist())
    terms = terms_of(of)
    for chunk in chunks(terms[:1], of.answers, member.config.output.folder):
        stop = start + chunk.n
        for term in terms:
            held = chunk.held(term.directions(of.answers[a], positions) for a, positions in chunk.stretches)
            yield term, slice(start, stop), settled(term.asked, held, n_tokens)
        start = stop


@dataclass(frozen=True)
class Sums:
    """Spans, and the queries of their tokens."""

    targets: list[list[Target]]  # of each answer; a target's query is the number of its span
    tokens: list[list[range]]  # of each answer, of each span


def with_spans(of: Pairs, answers: Sequence[Answer], found: Sequence[Candidates]) -> tuple[Pairs, Sums]:
    """The pairs of all generated tokens, with those that spans are added up from.    of: of whole answers, in order"""
    wanted, sums, first = of.wanted.copy(), Sums([], []), 0
    for answer, each in zip(answers, found, strict=True):
        own = np.isin(of.union, each.documents_of_spans)
        if each.spans:
            wanted[first : first + answer.n_targets] |= own
        places = ((each.generation_id, number) for number in range(len(each.spans)))
        sums.targets.append([Target(place, place[1], own, each.random) for place in places])
        sums.tokens.append([range(first + span.first, first + span.last + 1) for span in each.spans])
        first += answer.n_targets
    return replace(of, wanted=wanted), sums


def keep_sums(
    values: NDArray[np.float32], union: NDArray[np.int64], sums: Sums, norms: DocumentNorms, most: int
) -> Kept:
    """As `keep`, of the spans.    values: [K, U, L] nats of the tokens"""
    kept = []
    for targets, tokens in zip(sums.targets, sums.tokens, strict=True):
        if targets:
            added = np.stack([values[some.start : some.stop].sum(axis=0) for some in tokens])  # [S, U, L]
            kept.append(keep(added, union, targets, norms, most))
    return reduce(_joined, kept, Kept([], [], [], [], []))


def tokens_of(sums: Sums) -> list[range]:
    """Of every span the queries of its tokens, in the order of `keep_sums`."""
    return [each for of in sums.tokens for each in of]


def shares_of_sums(
    tops: Sequence[Sequence[int]], tokens: Sequence[range], found: Shares
) -> list[list[NDArray[np.float32]]]:
    """Of every span the position shares of its documents `tops`: those of its tokens, added up  # [T] nats each"""
    return [[np.sum([found[q, i] for q in some], axis=0) for i in top] for top, some in zip(tops, tokens, strict=True)]


def _joined(one: Kept, other: Kept) -> Kept:
    return Kept(
        one.places + other.places,
        one.layers + other.layers,
        one.ranked + other.ranked,
        one.null + other.null,
        one.queries + other.queries,
    )

"""Sums of gradient products over checkpoints, for the candidates of every token; by layer and by position."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import no_curvature
from attribution.exact.checkpoints import Checkpoint
from attribution.exact.scores import Scores
from attribution.exact.shares import position_shares
from attribution.query.directions import Directions
from attribution.query.settled import settled
from indexer.size.member import Member
from indexer.size.terms import Shares, Term, add_shares, score
from indexer.tracing.chunks import chunks
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


def _asked(of: Scoring) -> Iterator[tuple[Term, slice, Directions]]:
    """The queries at every checkpoint, as many at once as fit into memory."""
    member, start = of.member, 0
    n_tokens = sum(len(member.rows[i]) for i in of.pairs.union.tolist())
    terms = [
        Term(at.asked, at.preconditioner, at.tracked, member.own_documents, member.n_train, at.weight)
        for at in of.checkpoints
    ]
    for chunk in chunks(terms[:1], of.answers, member.config.output.folder):
        stop = start + chunk.n
        for term in terms:
            held = chunk.held(term.directions(of.answers[a], positions) for a, positions in chunk.stretches)
            yield term, slice(start, stop), settled(term.asked, held, n_tokens)
        start = stop

"""Words and answers of an estimator that is linear in the query: their scores are the sums of their tokens' scores.

So no query is asked for them; their tokens only meet the documents that all spans of an answer are compared on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from attribution.index.document_norms import DocumentNorms
from indexer.size.answers import Answer
from indexer.size.terms import Shares
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Kept, Pairs, Target, keep


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

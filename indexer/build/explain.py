"""Exact influence on the generated tokens of some answers, from query directions to kept documents: for `build`, which
stores it, and for `ask`, which shows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.directions import Directions
from attribution.document_norms import DocumentNorms
from attribution.influence import self_influence
from indexer.build.answers import Answer
from indexer.build.candidates import Candidates
from indexer.build.fitted import Fitted
from indexer.build.ranking import Ranked, ranked
from indexer.build.terms import score

Place = tuple[str, int]  # generation_id, position


@dataclass(frozen=True)
class Explained:
    """K generated tokens, one query each."""

    places: list[Place]
    directions: list[Directions]  # of each term
    layers: list[NDArray[np.float32]]  # of each query, its kept documents by layer  # [n_kept, L] nats
    kept: list[Ranked]
    null: list[NDArray[np.float32]]  # scores of the random documents, nats
    self_influence: NDArray[np.float32]  # [K] of the queries, nats


def explain(
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    directions: Sequence[Directions],
    tick: Callable[[int], None] | None = None,
) -> Explained:
    """Score the candidates of every answer exactly and keep both ends of the ranking; `tick(n)` after n documents.

    directions: for each of `fitted.terms`, the queries of all answers in order.
    """
    member = fitted.member
    places = [(a, position) for a, each in enumerate(answers) for position in range(each.n_targets)]
    union = np.unique(np.concatenate([each.documents for each in found]))
    wanted = np.zeros((len(places), len(union)), dtype=bool)
    for q, (a, position) in enumerate(places):
        wanted[q] = np.isin(union, found[a].documents_of(position))
    values = np.zeros((len(places), len(union), len(member.tracked.layers)), dtype=np.float32)
    for term, queries in zip(fitted.terms, directions, strict=True):
        values += score(term, queries, member.rows, union, wanted, tick)
    values[~wanted] = np.nan
    kept, layers, null = [], [], []
    for q, (a, _) in enumerate(places):
        totals = np.full(len(member.documents), np.nan, dtype=np.float32)
        totals[union] = values[q].sum(-1)
        best = ranked(totals, norms, member.config.scores.documents)
        drawn = totals[found[a].random]
        kept.append(best)
        layers.append(values[q, np.searchsorted(union, best.documents)])
        null.append(drawn[np.isfinite(drawn)])
    return Explained(
        places=[(answers[a].generation_id, position) for a, position in places],
        directions=list(directions),
        layers=layers,
        kept=kept,
        null=null,
        self_influence=self_influence(directions[-1].energy, member.n_train).cpu().numpy(),
    )

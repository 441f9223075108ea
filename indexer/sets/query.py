"""The one query of a target set, and what the gradient index says that every document does to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.index.shards import products
from attribution.index.whole_query import whole_query
from attribution.influence import influence
from attribution.query.directions import Directions
from attribution.query.many import Gradient, Weighted, solved_gradient, texts_gradient
from indexer.size.fitted import Fitted
from indexer.size.index import Index
from indexer.tracing.traced import Traced

Numbers = NDArray[np.float32]
Solve = Callable[[Gradient], Directions]  # x of ∇f, for the only term of a score


@dataclass(frozen=True)
class SetQuery:
    """One query, solved for the documents of every term of the score."""

    directions: tuple[Directions, ...]  # of each of `Fitted.terms`
    value: float  # f, nats


def set_query(fitted: Fitted, texts: Sequence[Weighted]) -> SetQuery:
    """∇f of all texts summed once, at the weights that are asked; solved by each term."""
    return by_terms(fitted, texts_gradient(fitted.member.tracked, texts))


def by_terms(fitted: Fitted, gradient: Gradient) -> SetQuery:
    """∇f solved by each term of the score."""
    solved = tuple(solved_gradient(term.asked, term.preconditioner, gradient) for term in fitted.terms)
    return SetQuery(solved, float(gradient.value))


def estimates(traced: Traced, query: SetQuery) -> Numbers:
    """Estimated influence of every document on the set; NaN for a repeated one  # [D] nats"""
    found = _estimated(traced.index, query)
    found[traced.repeated] = np.nan
    return found


def _estimated(index: Index, query: SetQuery) -> Numbers:
    found = []
    for of, directions in zip(index.terms, query.directions, strict=True):
        queries = whole_query(of.term.asked, directions, of.metrics, of.fitted.preconditioner)
        with torch.inference_mode():
            [made] = products(of.shards, queries, of.term.asked.schedule.vectors)
            found.append(influence(of.term.weight * made, of.term.n_train))
    return torch.cat(found).float().cpu().numpy()

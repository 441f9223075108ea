"""The cosine of mean hidden states: of what was read before a token, and of a document."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from indexer.config.estimator import Estimator, Numbers, always, never

if TYPE_CHECKING:
    from indexer.evaluate.scoring.given import Given
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    from attribution.passes.hidden import hidden_cosine, hidden_states, query_hidden_states

    tracked = of.member.tracked
    queries = np.concatenate([query_hidden_states(tracked, each.ids, each.first) for each in of.answers])
    states = hidden_states(tracked, [of.member.rows[i] for i in of.pairs.union])
    return hidden_cosine(queries, states)[:, :, None].astype(np.float32), {}


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    """Mean over the explained tokens."""
    from attribution.passes.hidden import hidden_cosine, hidden_states, query_hidden_states

    tracked = given.member.tracked
    states = hidden_states(tracked, given.member.rows)
    by_token = [hidden_cosine(query_hidden_states(tracked, each.ids, each.first), states) for each in given.asked]
    yield "hidden_cosine", np.concatenate([each.mean(axis=0, keepdims=True) for each in by_token])


RECORD = Estimator(
    name="hidden_cosine",
    label="hidden-state cosine",
    note="cosine of mean hidden states",
    cost="a forward pass of the candidates",
    order=6,
    score=score,
    predict=predict,
    passes=never,
    applies=always,
    layers=False,
    nats=False,
)

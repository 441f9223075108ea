"""BM25: words in common, the same for every token of an answer."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from indexer.config.estimator import Estimator, Numbers, always, never

if TYPE_CHECKING:
    from indexer.evaluate.protocol.queries import Question
    from indexer.evaluate.scoring.given import Given
    from indexer.search.text_index import TextIndex
    from indexer.size.member import Member
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    """What the text index has said of the documents that it proposed; 0 for others."""
    values = of.zeros()
    places = [a for a, each in enumerate(of.answers) for _ in range(each.n_targets)]
    for q, a in enumerate(places):
        for proposal in of.found[a].proposals:
            if proposal.via == "bm25":
                values[q, np.searchsorted(of.pairs.union, proposal.documents), 0] = proposal.values
    return values, {}


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    yield "bm25", lexical_scores(given.subject.index, given.member, given.asked)


def lexical_scores(index: "TextIndex", member: "Member", asked: "Sequence[Question]") -> Numbers:
    """BM25 of every document for every query, 0 where they share no word  # [Q, D]"""
    documents = member.document_ids
    place = member.places(documents)
    out = np.zeros((len(asked), len(documents)), dtype=np.float32)
    for q, each in enumerate(asked):
        for hit in index.search(each.text, len(documents)):
            out[q, place[hit.document_id]] = hit.score
    return out


RECORD = Estimator(
    name="bm25",
    label="BM25",
    note="words in common, the same for every token of an answer",
    cost="nothing: the text index has said it",
    order=7,
    score=score,
    predict=predict,
    passes=never,
    applies=always,
    layers=False,
    nats=False,
)

"""What `select` says of documents and of candidates, a line each."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.corpus.document import Document
from indexer.select.choose import COMMON, Choice, above
from indexer.select.line import DROP, KEEP, LOOK, Line
from indexer.select.near import Kept, shingles
from indexer.sets.stage import KeptSet

Numbers = NDArray[np.float32]


def document_lines(choices: Iterator[Choice], documents: Sequence[Document], kept: KeptSet) -> Iterator[Line]:
    """Of documents of the corpus, in the order of their choices."""
    for choice in choices:
        of, score = documents[choice.document], float(kept.scores[choice.document])
        known = bool(np.isfinite(score))
        reason = choice.reason
        if choice.like is not None:
            reason = f"says what document {documents[choice.like].document_id} says, which is kept"
        yield Line(
            choice.verdict,
            choice.rank,
            score if known else None,
            float(kept.estimates[choice.document]),
            above(score, kept.null) if known else None,
            reason,
            **_about(of),
        )


def candidate_lines(
    documents: Sequence[Document], scores: Numbers, null: Numbers, n_keep: int, diverse: bool, known: frozenset[str]
) -> Iterator[Line]:
    """Of texts that were not trained on, best first: each has a line.

    scores: [D] nats, NaN of a text whose gradient is not finite   known: ids of those that the model was trained on
    """
    kept, n_kept = Kept(), 0
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    for rank, i in enumerate(order.tolist(), start=1):
        of, score = documents[i], float(scores[i])
        if not np.isfinite(score):
            yield Line(LOOK, rank, None, None, None, "its gradient is not finite", **_about(of))
            continue
        place = above(score, null)
        says = shingles(of.text) if diverse else None
        same = kept.like(says) if says is not None else None
        verdict, reason = LOOK, ""
        if score < 0 and place <= COMMON:
            verdict = DROP
        elif of.document_id in known:
            reason = "the model was trained on it"
        elif score <= 0:
            reason = "harms, no more than random documents do"
        elif same is not None:
            reason = f"says what {same} says, which is kept"
        elif n_kept == n_keep:
            reason = "helps, less than those that are kept"
        else:
            verdict = KEEP
            n_kept += 1
            if says is not None:
                kept.keep(of.document_id, says)
        yield Line(verdict, rank, score, None, place, reason, **_about(of))


def _about(of: Document) -> dict[str, str]:
    return {
        "document_id": of.document_id,
        "title": of.title,
        "source": of.source,
        "topic": of.topic,
        "text": of.text,
    }

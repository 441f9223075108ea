"""From kept scores to a ranking of documents, for one token or for a span.

The influence of a span is the sum over its tokens. A score that was not kept is unknown, so a sum carries the number
of tokens it is known for. With layers chosen, documents are ranked by what passes through those alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.normalisers import Norms, normalise
from dashboard.database.records import KeptScores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """One document. value is what the ranking goes by; score is the influence in nats; layers sum to score."""

    document_id: str
    value: float
    score: float
    known: int  # tokens of the span for which its score was kept
    best_rank: int  # among all scored candidates, of the token where it stands best
    self_influence: float
    layers: Floats  # [L]


def rank_documents(
    scores: KeptScores,
    normaliser: str = "none",
    only_layers: Sequence[int] = (),
) -> list[Ranked]:
    """Documents from most helpful to most harmful by `value`; documents without a value are left out.

    cosine is defined for one target: of several tokens together there is none, and the list is empty.
    """
    ids, row_of = np.unique(np.asarray(scores.document_id, dtype=object).astype(str), return_inverse=True)
    n, depth = len(ids), scores.layer_scores.shape[1]
    first = np.zeros(n, dtype=np.int64)
    first[row_of[::-1]] = np.arange(len(scores))[::-1]  # a document's norms are the same in all its rows

    score = np.bincount(row_of, scores.score, n).astype(np.float64)  # [D]
    known = np.bincount(row_of, minlength=n)
    layers = np.zeros((n, depth))
    np.add.at(layers, row_of, scores.layer_scores)
    best = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(best, row_of, scores.rank)

    part: Floats = layers[:, list(only_layers)].sum(1) if only_layers else score
    own = scores.self_influence[first]
    several = len(scores) > 0 and bool((scores.position != scores.position[0]).any())
    asked = np.full(n, np.nan) if several else scores.query_self_influence[first]  # [D]
    norms = Norms(scores.grad_norm[first], own, scores.solve_norm[first], asked[None])
    value = normalise(part[None], norms, normaliser)[0]

    order = np.argsort(-np.nan_to_num(value), kind="stable")
    return [
        Ranked(str(ids[i]), float(value[i]), float(score[i]), int(known[i]), int(best[i]), float(own[i]), layers[i])
        for i in order
        if np.isfinite(value[i])
    ]


def strongest_through(
    scores: KeptScores, only_layers: Sequence[int], document_id: str | None = None
) -> dict[int, tuple[float, float]]:
    """position -> (what passes through these layers, the whole influence) of the document with most of the former
    there, or of one document; {} where no layers are stored."""
    if not len(scores) or max(only_layers) >= scores.layer_scores.shape[1]:
        return {}
    part = scores.layer_scores[:, list(only_layers)].sum(1)  # [N]
    found: dict[int, tuple[float, float]] = {}
    for i in np.argsort(part, kind="stable"):
        if np.isfinite(part[i]) and document_id in (None, scores.document_id[i]):
            found[int(scores.position[i])] = (float(part[i]), float(scores.score[i]))
    return found


def take_side(ranked: list[Ranked], side: str, k: int) -> list[Ranked]:
    """The k documents that push most `towards` the token, most `away` from it, or most either way (`both`)."""
    if side == "towards":
        return [each for each in ranked if each.value > 0][:k]
    if side == "away":
        return [each for each in reversed(ranked) if each.value < 0][:k]
    return sorted(ranked, key=lambda each: -abs(each.value))[:k]


def among_random(score: float, null_scores: Floats) -> str:
    """Where a score stands among the scores of random documents for the same token, in words; '' without them.

    In a small corpus the document itself may have been drawn: it is not compared with itself.
    """
    finite = null_scores[np.isfinite(null_scores)]
    itself = np.flatnonzero(finite == score)[:1]
    finite = np.delete(finite, itself)
    if finite.size < 5:
        return ""
    stronger = int((finite >= score).sum()) if score >= 0 else int((finite <= score).sum())
    against = "" if score >= 0 else " against it"
    if stronger == 0:
        return f"stronger{against} than all {finite.size} random documents"
    return f"{stronger} of {finite.size} random documents {'is' if stronger == 1 else 'are'} as strong{against}"


def layer_total(ranked: list[Ranked]) -> Floats:
    """[L] sum over documents; [0] when there are none."""
    return np.sum([each.layers for each in ranked], axis=0) if ranked else np.empty(0)

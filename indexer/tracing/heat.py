"""Where in a document its influence comes from: position shares, token-loss influence and relabelling of its tokens;
and, where they are asked for, the components of the model that it passes through.

Shares are of full rank by default. Cutting a direction [out, in] at rank r costs about (out + in + 6 r) · out · in
before the first token is met, meeting T tokens whole T · out · in: the ten documents of a token seldom have as many
tokens as a layer has rows and columns, and most of their shares came along with the scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.components.taught import MOST, Pair, Split, Taught, taught
from attribution.components.units import Units
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import TokenLoss, token_losses
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.low_rank import factor
from indexer.size.fitted import Fitted
from indexer.size.terms import Term
from indexer.tracing.explain import Explained, Kept

Columns = dict[str, list[object]]


@dataclass(frozen=True)
class Heat:
    """Of each query, for its top documents in order; token losses for the first few of them."""

    shares: list[list[NDArray[np.float32]]]  # [T] nats, summed over layers
    losses: list[list[TokenLoss]]
    taught: list[list[Taught]] | None = None  # of the documents that have shares; None: not asked for


@dataclass(frozen=True)
class _Met:
    """What the kept documents of one stage of training have met: `own` of every query, indices of `rows`."""

    made: Explained
    term: Term
    directions: Directions
    own: Sequence[Sequence[int]]
    rows: Sequence[Row]  # of all stages


def heat(fitted: Fitted, made: Explained, units: Units | None = None, neurons: int = MOST) -> Heat:
    """Shares for the top `position_shares` documents of every query, token losses for the top `token_losses`.

    units: of the member's model: the documents that have shares are split by its components as well, at full rank, and
    so many neurons are kept of each.
    """
    settings, rows = fitted.member.config.scores, fitted.member.rows
    n_shares, n_losses = settings.position_shares, min(settings.token_losses, settings.position_shares)
    shares: dict[Pair, NDArray[np.float32]] = {}
    losses: list[dict[int, TokenLoss]] = [{} for _ in made.kept.ranked]
    parts: dict[Pair, Taught] = {}
    for term, stage, directions in zip(fitted.terms, fitted.stages, made.directions(), strict=True):
        own = [[i for i in each.top[:n_shares].tolist() if i in term.documents] for each in made.kept.ranked]
        closer = [[i for i in each.top[:n_losses].tolist() if i in term.documents] for each in made.kept.ranked]
        met = _Met(made, term, directions, own, rows)
        if units is not None:
            split = _split(met, units, neurons, along=not settings.rank)
            parts.update(split.taught)
            shares.update(split.shares)
        shares.update(_shares(met, stage, shares))
        for q, told in enumerate(token_losses(term.trained, directions, rows, closer, term.n_train)):
            losses[q].update(zip(closer[q], told, strict=True))
    tops = [each.top[:n_shares].tolist() for each in made.kept.ranked]
    return Heat(
        [[shares[q, i] for i in of] for q, of in enumerate(tops)],
        [[losses[q][i] for i in of[:n_losses]] for q, of in enumerate(tops)],
        None if units is None else [[parts[q, i] for i in of] for q, of in enumerate(tops)],
    )


def heat_of(fitted: Fitted, parts: Sequence[Explained], units: Units | None = None, neurons: int = MOST) -> Heat:
    """The same of chunks of tokens, one after the other."""
    each = [heat(fitted, part, units, neurons) for part in parts]
    return Heat(
        [of for part in each for of in part.shares],
        [of for part in each for of in part.losses],
        None if units is None else [of for part in each for of in part.taught or ()],
    )


def _shares(met: _Met, stage: Fitted, found: Mapping[Pair, NDArray[np.float32]]) -> dict[Pair, NDArray[np.float32]]:
    """Those that are not found yet, summed over layers  # [T]; at full rank most of them are known from the scores.

    stage: that of the term's documents, in whose eigenbasis they are uncorrelated.
    """
    rank, term = stage.member.config.scores.rank, met.term
    factored = factor(met.directions, stage.factors, rank) if rank else None
    pairs = [(q, i) for q, of in enumerate(met.own) for i in of if (q, i) not in found]
    known = {} if rank else {pair: met.made.shares[pair] for pair in pairs if pair in met.made.shares}
    rest = [[i for i in of if (q, i) not in found and (q, i) not in known] for q, of in enumerate(met.own)]
    made_now = position_shares(term.trained, met.directions, met.rows, rest, term.n_train, factored=factored)
    return known | {
        (q, i): share.sum(-1) for q, of in enumerate(rest) for i, share in zip(of, made_now[q], strict=True)
    }


def _split(met: _Met, units: Units, neurons: int, along: bool) -> Split:
    """By components; what came along with the scores is not made again.

    along: whether shares that did not come along are to come with the others' components.
    """
    made, term = met.made, met.term
    rest = [[i for i in of if (q, i) not in made.owned] for q, of in enumerate(met.own)]
    unknown = [[i for i in of if along and (q, i) not in made.shares] for q, of in enumerate(rest)]
    found = taught(term.trained, met.directions, met.rows, rest, term.n_train, units, unknown=unknown, most=neurons)
    pairs = ((q, i) for q, of in enumerate(met.own) for i in of if (q, i) in made.owned)
    found.taught.update({pair: Taught.of(made.owned[pair], units, neurons) for pair in pairs})
    return found


def position_columns(run: str, kept: Kept, heat: Heat, ids: Sequence[str]) -> Columns:
    """Columns of `influence_position`; loss_influences is NULL where it was not computed."""
    rows = [
        (run, *place, ids[document], heat.shares[q][k], losses[k].influences if k < len(losses) else None)
        for q, (place, losses) in enumerate(zip(kept.places, heat.losses, strict=True))
        for k, document in enumerate(kept.ranked[q].top[: len(heat.shares[q])])
    ]
    return _columns(("run_id", "generation_id", "position", "document_id", "shares", "loss_influences"), rows)


def relabel_columns(run: str, kept: Kept, heat: Heat, ids: Sequence[str], words: Sequence[str]) -> Columns:
    """Columns of `relabel`; `words` are the texts of the vocabulary."""
    rows = []
    for q, place in enumerate(kept.places):
        for document, loss in zip(kept.ranked[q].top, heat.losses[q], strict=False):
            for t in np.flatnonzero(loss.label_ids[:, 0] >= 0).tolist():
                labels = loss.label_ids[t].tolist()
                texts = [words[label] for label in labels]
                rows.append((run, *place, ids[document], t, labels, texts, loss.label_influences[t]))
    names = ("run_id", "generation_id", "position", "document_id", "token_position", "token_ids", "texts", "influences")
    return _columns(names, rows)


def _columns(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Columns:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}

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
ByToken = list[list[NDArray[np.float32]]]  # of each target and each of its top documents  # [T] nats, all layers


@dataclass(frozen=True)
class Where:
    """Of each target, for its top documents in order; token losses for the first few of them."""

    shares: ByToken
    losses: list[list[TokenLoss]]

    @property
    def learned(self) -> ByToken:
        """Of the losses what learning each token did."""
        return [[each.influences for each in of] for of in self.losses]


@dataclass(frozen=True)
class Heat:
    """Of the tokens and of the spans."""

    tokens: Where
    spans: Where
    taught: list[list[Taught]] | None = None  # of the tokens' documents that have shares; None: not asked for


@dataclass(frozen=True)
class _Met:
    """What the kept documents of one stage of training have met: `own` of every query, indices of `rows`."""

    made: Explained
    term: Term
    directions: Directions
    own: Sequence[Sequence[int]]
    rows: Sequence[Row]  # of all stages


def heat(fitted: Fitted, made: Explained, units: Units | None = None, neurons: int = MOST) -> Heat:
    """Shares for the top `position_shares` documents of every target, token losses for the top `token_losses`.

    units: of the member's model: the documents of a token that have shares are split by its components as well, at full
    rank, and so many neurons are kept of each.
    """
    settings, rows = fitted.member.config.scores, fitted.member.rows
    n_shares, n_losses = settings.position_shares, min(settings.token_losses, settings.position_shares)
    shares: dict[Pair, NDArray[np.float32]] = {}
    losses: dict[Pair, TokenLoss] = {}
    parts: dict[Pair, Taught] = {}
    n, both = len(made.values), (made.kept, made.spans)
    for term, stage, directions in zip(fitted.terms, fitted.stages, made.directions(), strict=True):
        own, closer = (_own(n, both, most, term) for most in (n_shares, n_losses))
        if units is not None:
            of_tokens = _Met(made, term, directions, _own(n, both[:1], n_shares, term), rows)
            split = _split(of_tokens, units, neurons, along=not settings.rank)
            parts.update(split.taught)
            shares.update(split.shares)
        shares.update(_shares(_Met(made, term, directions, own, rows), stage, shares))
        for q, told in enumerate(token_losses(term.trained, directions, rows, closer, term.n_train)):
            losses.update({(q, i): each for i, each in zip(closer[q], told, strict=True)})
    tokens, spans = (_where(kept, shares, losses, n_shares, n_losses) for kept in both)
    tops = [(q, each.top[:n_shares].tolist()) for q, each in zip(made.kept.queries, made.kept.ranked, strict=True)]
    return Heat(tokens, spans, None if units is None else [[parts[q, i] for i in of] for q, of in tops])


def _own(n: int, kept: Sequence[Kept], most: int, term: Term) -> list[list[int]]:
    """Of each of n queries the top documents of its targets that belong to a term, each once."""
    found: list[dict[int, None]] = [{} for _ in range(n)]
    for of in kept:
        for q, each in zip(of.queries, of.ranked, strict=True):
            found[q].update({i: None for i in each.top[:most].tolist() if i in term.documents})
    return [list(each) for each in found]


def _where(
    kept: Kept,
    shares: Mapping[Pair, NDArray[np.float32]],
    losses: Mapping[Pair, TokenLoss],
    n_shares: int,
    n_losses: int,
) -> Where:
    tops = [(q, each.top[:n_shares].tolist()) for q, each in zip(kept.queries, kept.ranked, strict=True)]
    return Where(
        [[shares[q, i] for i in of] for q, of in tops], [[losses[q, i] for i in of[:n_losses]] for q, of in tops]
    )


def heat_of(fitted: Fitted, parts: Sequence[Explained], units: Units | None = None, neurons: int = MOST) -> Heat:
    """The same of chunks of queries, one after the other."""
    each = [heat(fitted, part, units, neurons) for part in parts]
    tokens, spans = (
        Where([of for where in some for of in where.shares], [of for where in some for of in where.losses])
        for some in ([part.tokens for part in each], [part.spans for part in each])
    )
    return Heat(tokens, spans, None if units is None else [of for part in each for of in part.taught or ()])


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


def position_columns(run: str, kept: Kept, shares: ByToken, learned: ByToken, ids: Sequence[str]) -> Columns:
    """Columns of `influence_position`; loss_influences is NULL where it was not computed.

    learned: of the first documents of each target what learning each token did; empty: of none
    """
    rows = [
        (run, *place, ids[document], shares[k][n], told[n] if n < len(told) else None)
        for k, (place, told) in enumerate(zip(kept.places, learned or [[]] * len(shares), strict=True))
        for n, document in enumerate(kept.ranked[k].top[: len(shares[k])])
    ]
    return _columns(("run_id", "generation_id", "position", "document_id", "shares", "loss_influences"), rows)


def relabel_columns(run: str, kept: Kept, where: Where, ids: Sequence[str], words: Sequence[str]) -> Columns:
    """Columns of `relabel`; `words` are the texts of the vocabulary."""
    rows = []
    for k, place in enumerate(kept.places):
        for document, loss in zip(kept.ranked[k].top, where.losses[k], strict=False):
            n_kept = (loss.label_ids >= 0).sum(axis=1)  # [T]
            for t in np.flatnonzero(n_kept).tolist():
                some = slice(int(n_kept[t]))
                labels = loss.label_ids[t, some].tolist()
                texts = [words[label] for label in labels]
                found = labels, texts, loss.label_influences[t, some], loss.label_probabilities[t, some]
                rows.append((run, *place, ids[document], t, *found))
    names = ("run_id", "generation_id", "position", "document_id", "token_position")
    return _columns((*names, "token_ids", "texts", "influences", "probabilities"), rows)


def _columns(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Columns:
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}

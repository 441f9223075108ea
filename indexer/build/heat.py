"""Where in a document its influence comes from: position shares, token-loss influence and relabelling of its tokens."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.directions import Directions
from attribution.low_rank import factor
from attribution.shares import position_shares
from attribution.token_loss import TokenLoss, token_losses
from indexer.build.fitted import Fitted
from indexer.build.member import Member
from indexer.build.ranking import Ranked

Place = tuple[str, str, int]  # run_id, generation_id, position


def heat_columns(
    fitted: Fitted, directions: Directions, kept: Sequence[Ranked], at: Sequence[Place], ids: NDArray[np.str_]
) -> dict[str, dict[str, object]]:
    """Columns of `influence_position` and `relabel` for the top documents of every query.

    Shares for the top `scores.documents`; token losses and relabelling, which cost a pass per query, for the first
    `scores.token_losses` of them.
    """
    member = fitted.member
    settings = member.config.scores
    factored = factor(directions, fitted.factors, settings.rank) if settings.rank else None
    own = [each.top.tolist() for each in kept]
    closer = [documents[: settings.token_losses] for documents in own]
    shares = position_shares(member.tracked, directions, member.rows, own, member.n_train, factored=factored)
    losses = token_losses(member.tracked, directions, member.rows, closer, member.n_train)
    return {
        "influence_position": _position_columns(at, own, shares, losses, ids),
        "relabel": _relabel_columns(member, at, closer, losses, ids),
    }


def _position_columns(
    at: Sequence[Place],
    own: Sequence[Sequence[int]],
    shares: Sequence[Sequence[NDArray[np.float32]]],
    losses: Sequence[Sequence[TokenLoss]],
    ids: NDArray[np.str_],
) -> dict[str, object]:
    rows = [
        (*at[q], ids[document], shares[q][k].sum(-1), losses[q][k].influences if k < len(losses[q]) else None)
        for q, of in enumerate(own)
        for k, document in enumerate(of)
    ]
    names = ("run_id", "generation_id", "position", "document_id", "shares", "loss_influences")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _relabel_columns(
    member: Member,
    at: Sequence[Place],
    own: Sequence[Sequence[int]],
    losses: Sequence[Sequence[TokenLoss]],
    ids: NDArray[np.str_],
) -> dict[str, object]:
    words = member.words
    rows = []
    for q, of in enumerate(own):
        for document, loss in zip(of, losses[q], strict=True):
            for t in np.flatnonzero(loss.label_ids[:, 0] >= 0):
                labels = loss.label_ids[t]
                texts = [words[label] for label in labels]
                rows.append((*at[q], ids[document], int(t), labels, texts, loss.label_influences[t]))
    names = ("run_id", "generation_id", "position", "document_id", "token_position", "token_ids", "texts", "influences")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}

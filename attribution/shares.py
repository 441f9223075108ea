"""Position shares: the part of a document's influence that passes through each of its positions, by layer.

    share_t = δ_tᵀ P a_t      summed over positions, the document's influence

At full rank this is one product of the documents' inputs with P per query. At rank r, P ≈ L Rᵀ and
share_t = Σ_k (L_kᵀ δ_t)(R_kᵀ a_t), which pays when one query meets many tokens (see `low_rank.py`).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.batches import Document, batches
from attribution.capture import Captured, capture
from attribution.directions import Directions
from attribution.embedding import places
from attribution.influence import influence
from attribution.low_rank import Factored
from attribution.tracked import Tracked

TOKENS = 4096  # padded tokens of a batch

Matrix = Tensor | Factored  # a query's direction in one layer: [out, in], or its two factors


def position_shares(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Document],
    own: Sequence[Sequence[int]],
    n_train: int,
    *,
    factored: Sequence[Sequence[Factored]] | None = None,
    tick: Callable[[int], None] | None = None,
) -> list[list[NDArray[np.float32]]]:
    """Shares of the documents `own[q]` (indices) of each query, at full rank, or at that of `factored` (by layer, by
    query; `low_rank.factor`).

    Returns for each query, in the order of own[q], an array [T_d, L] in nats: entry t is the share through position t.
    """
    wanted = sorted({i for of in own for i in of})
    found: dict[tuple[int, int], NDArray[np.float32]] = {}
    for batch in batches([documents[i] for i in wanted], tracked.loaded.context, tracked.device, TOKENS):
        members = [wanted[i] for i in batch.members]
        captured = capture(tracked, batch)
        place = {document: b for b, document in enumerate(members)}
        for q, of in enumerate(own):
            mine = [place[document] for document in of if document in place]
            if mine:
                shares = influence(_query_shares(tracked, directions, factored, captured, q, mine), n_train)
                for b, share in zip(mine, shares.cpu().numpy(), strict=True):
                    found[q, members[b]] = share[: len(documents[members[b]])]
        if tick is not None:
            tick(len(members))
    return [[found[q, document] for document in of] for q, of in enumerate(own)]


def _query_shares(
    tracked: Tracked,
    directions: Directions,
    factored: Sequence[Sequence[Factored]] | None,
    captured: Captured,
    q: int,
    members: list[int],
) -> Tensor:
    """`δ_tᵀ P a_t` of some documents of a pass for query q  # [B', T, L]"""
    of = torch.tensor(members, device=tracked.device)
    shares = []
    for layer, (deltas, inputs) in enumerate(zip(captured.deltas, captured.inputs, strict=True)):
        P: Matrix = directions.linear[layer][q] if factored is None else factored[layer][q]
        shares.append(bilinear(deltas[of], P, inputs[of]))
    for i, block in enumerate(directions.embedding):
        share = tracked.zeros(*captured.batch.ids[of].shape)
        if tracked.tied or i == 1:
            logit_deltas = captured.padded_logit_deltas(block.rows, of)  # [B', T, R]
            share += bilinear(logit_deltas, block.values[q], captured.hidden[of])
        if i == 0:
            at = places(captured.batch.ids[of], block.rows, tracked.embedding[0].n_out)  # [B', T]
            looked_up = block.values[q][at.clamp(min=0)] * (at >= 0)[..., None]  # [B', T, H]
            share += tracked.embedding_scale * (looked_up * captured.embedded_deltas[of]).sum(dim=-1)
        shares.append(share)
    return torch.stack(shares, dim=-1)


def bilinear(deltas: Tensor, P: Matrix, inputs: Tensor) -> Tensor:
    """δᵀ P a at every position.    deltas: [B, T, out]   inputs: [B, T, in]   -> [B, T]"""
    if isinstance(P, Factored):
        return ((deltas @ P.left) * (inputs @ P.right)).sum(dim=-1)
    return ((inputs @ P.T) * deltas).sum(dim=-1)
